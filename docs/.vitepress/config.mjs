import { defineConfig } from "vitepress";
import { besideKeras } from "../build/beside.mjs";

// Pages without a framework in the reader's browser: `build/page.js` does the search, the menu and the colors, from disk, too.
export default defineConfig({
  mpa: true,
  title: "convkit",
  description: "Build, train, inspect, convert and ship convolutional networks from Node.",
  srcDir: ".site",
  outDir: "dist",
  cacheDir: "node_modules/.cache/vitepress",
  metaChunk: false,
  head: [["script", { src: "/page.js", defer: "" }]],
  // A block of the READMEs that is not run has the language "ignore".
  markdown: {
    // The default themes are too faint on the ground of code, where WCAG asks for 4.5 to 1: red and orange on light are 4.2, comments on dark 3.8.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    anchor: { slugify: slug },
    languageAlias: { ignore: "ts" },
    config: (md) => {
      md.options.linkify = false;
      md.use(besideKeras);
      // Wide code is scrolled by keys, too, as VitePress does it for fenced code.
      const plain = md.renderer.rules.code_block;
      md.renderer.rules.code_block = (...given) => plain(...given).replace("<pre", '<pre tabindex="0"');
    },
  },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/guides/training" },
      { text: "Command line", link: "/cli" },
      { text: "API", link: "/api/" },
    ],
    sidebar: JSON.parse(process.env.CONVKIT_SITE ?? "[]"),
    outline: false,
  },
});

/** Anchors as GitHub makes them, so that a link holds in both places. */
function slug(text) {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}
