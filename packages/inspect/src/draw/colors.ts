import { OptionError, shown } from "@convkit/errors";
import type { LayerKind } from "./layer-kinds.ts";

/** Fill and edge of a kind's boxes, on light and on dark ground. */
interface KindColors {
  readonly light: readonly [string, string];
  readonly dark: readonly [string, string];
}

const gray: KindColors = { light: ["#eef0f3", "#7b8794"], dark: ["#2c323a", "#8a96a3"] };

const kindColors: Readonly<Record<LayerKind, KindColors>> = {
  input: { light: ["#ffffff", "#5b6673"], dark: ["#1b1f24", "#a9b4c0"] },
  output: { light: ["#ffffff", "#5b6673"], dark: ["#1b1f24", "#a9b4c0"] },
  convolution: { light: ["#dbe9fb", "#2f6db5"], dark: ["#1b3350", "#79aef0"] },
  depthwise: { light: ["#d5f0ef", "#1f8580"], dark: ["#143a38", "#63c7c1"] },
  dense: { light: ["#e8e0fa", "#6b4cb8"], dark: ["#2f2650", "#b29cf2"] },
  pool: { light: ["#fde9d0", "#b8690f"], dark: ["#46300f", "#f0ad5b"] },
  norm: { light: ["#e3f3dc", "#4b8a2c"], dark: ["#233b18", "#90cf70"] },
  activation: { light: ["#fbf3c8", "#94790b"], dark: ["#3d3509", "#e0c54a"] },
  join: { light: ["#fbdfe2", "#b73a4b"], dark: ["#48191f", "#f0818f"] },
  shape: gray,
  recurrent: { light: ["#f6dff1", "#a03c8c"], dark: ["#421739", "#e288cf"] },
  regularization: gray,
  block: { light: ["#e4e9f7", "#44567f"], dark: ["#232c44", "#9db0dd"] },
  other: gray,
};

export type Theme = "auto" | "light" | "dark";

/** The style sheet of a drawing. `"auto"` follows the reader's setting; a program that makes PNGs sees the light one. */
export function styleSheet(theme: Theme): string {
  return styledFor(theme, rules);
}

export type Mode = "light" | "dark";

/** Ground and text of every picture. */
export const inks = {
  light: { ground: "#ffffff", ink: "#1c2430", faint: "#4d5866" },
  dark: { ground: "#14171b", ink: "#eef1f4", faint: "#b3bdc8" },
} as const;

/** The style sheet of a theme, out of the rules of both modes; both have the same letters. */
export function styledFor(theme: Theme, rulesOf: (mode: Mode) => string): string {
  const letters = "text{font-family:Helvetica,Arial,sans-serif}.head{font-weight:600}";
  if (theme !== "auto") return letters + rulesOf(theme);
  return `${letters}${rulesOf("light")}@media (prefers-color-scheme:dark){${rulesOf("dark")}}`;
}

function rules(mode: Mode): string {
  const { ground, ink, faint } = inks[mode];
  const [line, frame] = mode === "light" ? ["#7b8794", "#b9c2cc"] : ["#8a96a3", "#4a535e"];
  const kinds = Object.entries(kindColors).map(
    ([kind, colors]) => `.${kind} rect{fill:${colors[mode][0]};stroke:${colors[mode][1]}}`,
  );
  return [
    `.ground{fill:${ground}}text{fill:${ink}}.small,.shape{fill:${faint}}`,
    `.edge{stroke:${line}}.tip{fill:${line}}.frame{stroke:${frame};fill:${line};fill-opacity:.06}`,
    ...kinds,
    `.frozen rect{stroke-dasharray:4 3}`,
  ].join("");
}

/** Throws an `OptionError` for a theme that there is not. */
export function checkTheme(where: string, theme: unknown): void {
  if (theme === undefined || theme === "auto" || theme === "light" || theme === "dark") return;
  throw new OptionError(`${where}: expected theme as auto, light or dark, got ${shown(theme)}.`);
}
