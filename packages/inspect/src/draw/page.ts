import type * as tfl from "@tensorflow/tfjs-layers";
import { boxesAt, fittingDepth, readNetwork, svgAt } from "./draw.ts";
import type { DrawOptions } from "./draw.ts";
import { depthOf } from "./fold.ts";
import { escaped } from "./svg.ts";

/** Drawings with more boxes than this are left out of a page: browsers become slow. */
const mostBoxes = 1500;

/**
 * The picture of a network as one HTML page that opens from disk: the drawings of all depths, from all blocks folded to
 * all open, one of them shown, with buttons to fold, unfold and zoom. Options and errors are those of `draw`; `depth` is
 * the drawing that is shown first.
 */
export async function drawPage(model: tfl.LayersModel, options: DrawOptions = {}): Promise<string> {
  const network = readNetwork(model, options);
  const deepest = depthOf(network.parts);
  const shown = Math.min(options.depth ?? fittingDepth(network, options), deepest);
  const depths = Array.from({ length: deepest + 1 }, (_, depth) => ({
    depth,
    boxes: boxesAt(network, depth, options),
  }));
  const levels = depths.filter(({ depth, boxes }) => depth === shown || boxes <= mostBoxes);
  const drawings = await Promise.all(levels.map(({ depth }) => svgAt(network, depth, options)));
  const choices = levels.map(
    ({ depth, boxes }) =>
      `<label><input type="radio" name="depth" value="${depth}"${depth === shown ? " checked" : ""}> ${depthName(depth, deepest)}, ${boxes} boxes</label>`,
  );
  const figures = drawings.map(
    (svg, i) =>
      `<div class="drawing" data-depth="${levels[i]?.depth}"${levels[i]?.depth === shown ? "" : " hidden"}>${svg}</div>`,
  );
  return `<!doctype html>
<html lang="en"${options.theme === undefined || options.theme === "auto" ? "" : ` data-theme="${options.theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(network.title)}</title>
<style>${style}</style>
</head>
<body>
<form>
<fieldset><legend>Blocks</legend>${choices.join("")}</fieldset>
<fieldset><legend>Zoom</legend><button type="button" data-zoom="out" aria-label="Smaller">−</button><button type="button" data-zoom="in" aria-label="Larger">+</button><button type="button" data-zoom="fit">Fit</button></fieldset>
</form>
<main tabindex="0">
${figures.join("\n")}
</main>
<script>${script}</script>
</body>
</html>
`;
}

function depthName(depth: number, deepest: number): string {
  if (depth === deepest) return "all open";
  return depth === 0 ? "folded" : depth === 1 ? "1 level open" : `${depth} levels open`;
}

const dark = "--ground:#14171b;--ink:#eef1f4;--line:#4a535e";
const style = [
  ":root{color-scheme:light dark;--ground:#fff;--ink:#1c2430;--line:#b9c2cc}",
  `@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}:root[data-theme=dark]{color-scheme:dark;${dark}}`,
  ":root[data-theme=light]{color-scheme:light}",
  "body{margin:0;height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);font:14px system-ui,sans-serif}",
  "form{display:flex;flex-wrap:wrap;gap:8px 16px;padding:8px 16px;border-bottom:1px solid var(--line)}",
  "fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px}",
  "legend{float:left;padding:0 8px 0 0;font-weight:600}button{min-width:36px;min-height:32px;font:inherit}",
  "main{flex:1;overflow:auto}.drawing{width:max-content;margin:0 auto}.drawing svg{display:block}",
].join("\n");

/** Shows one drawing, and sizes it by its own width and height. */
const script = `
const drawings = [...document.querySelectorAll(".drawing")];
const main = document.querySelector("main");
let zoom = 1;
const size = () => {
  for (const { firstElementChild: svg } of drawings) {
    svg.setAttribute("width", svg.viewBox.baseVal.width * zoom);
    svg.setAttribute("height", svg.viewBox.baseVal.height * zoom);
  }
};
const fit = () => {
  const svg = drawings.find((each) => !each.hidden).firstElementChild;
  zoom = Math.min(1, main.clientWidth / svg.viewBox.baseVal.width);
  size();
};
document.querySelector("form").addEventListener("change", ({ target }) => {
  for (const each of drawings) each.hidden = each.dataset.depth !== target.value;
  fit();
});
document.querySelector("form").addEventListener("click", ({ target }) => {
  const step = { in: 1.25, out: 0.8 }[target.dataset.zoom];
  if (step !== undefined) { zoom *= step; size(); }
  if (target.dataset.zoom === "fit") fit();
});
fit();
`;
