import DefaultTheme from "vitepress/theme-without-fonts";
import { h } from "vue";
import "./style.css";

const bar = () =>
  h("div", { class: "bar" }, [
    h("button", { type: "button", class: "bar-search", "aria-label": "Search" }, [h("span", "Search"), h("kbd", "/")]),
    h("button", { type: "button", class: "bar-colors", "aria-label": "Light or dark" }, "◐"),
  ]);

export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "nav-bar-content-before": bar,
      "aside-top": () => h("nav", { class: "contents", "aria-label": "On this page" }),
    }),
};
