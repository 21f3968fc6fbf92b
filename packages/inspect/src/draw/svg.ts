import { boxLines, grouped, lineHeight, padding, paramsText } from "./box-size.ts";
import type { Box } from "./boxes.ts";
import { styleSheet } from "./colors.ts";
import type { Theme } from "./colors.ts";
import { titleOf } from "./fold.ts";
import { kindTitles } from "./layer-kinds.ts";
import type { LayerKind } from "./layer-kinds.ts";
import type { Layout, Point, Rectangle } from "./layout.ts";

export interface SvgOptions {
  readonly title: string;
  readonly theme: Theme;
}

const margin = 16;

/** The drawing as an SVG document. */
export function svgOf(layout: Layout, { title, theme }: SvgOptions): string {
  const legend = legendOf(layout);
  const width = Math.ceil(Math.max(layout.width, legend.width) + 2 * margin);
  const height = Math.ceil(layout.height + legend.height + 2 * margin + 26);
  const shift = `translate(${margin} ${margin + 26})`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${styleSheet(theme)}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="head" x="${margin}" y="${margin + 10}" font-size="15">${escaped(title)}</text>`,
    `<g transform="${shift}">`,
    ...layout.blocks.toSorted((a, b) => a.depth - b.depth).map(({ block, place }) => frame(titleOf(block), place)),
    ...layout.edges.map(({ curve }) => arrow(curve)),
    ...layout.boxes.map(({ box, place }) => boxOf(box, place)),
    ...layout.edges.flatMap(({ edge, label }) =>
      label === undefined
        ? []
        : [`<text class="shape" font-size="11" text-anchor="middle" ${at(label, 4)}>${escaped(edge.shape)}</text>`],
    ),
    `</g>`,
    `<g transform="translate(${margin} ${Math.round(layout.height + margin + 26 + 8)})">${legend.svg}</g>`,
    `</svg>`,
    "",
  ].join("\n");
}

function frame(title: string, { x, y, width, height }: Rectangle): string {
  return `<g><rect class="frame" rx="8" ${box4(x, y, width, height)}/><text class="small head" font-size="12" x="${n(x + 10)}" y="${n(y + 17)}">${escaped(title)}</text></g>`;
}

function arrow(points: readonly Point[]): string {
  const [start, ...rest] = points as [Point, ...Point[]];
  const tip = rest.at(-1) as Point;
  const curve = rest.slice(0, -1);
  const end = curve.at(-1) ?? start;
  const length = Math.hypot(tip.x - end.x, tip.y - end.y) || 1;
  const [dx, dy] = [((tip.x - end.x) / length) * 3.2, ((tip.y - end.y) / length) * 3.2];
  const path = `M${xy(start)}C${curve.map(xy).join(" ")}`;
  const head = `M${xy(tip)}L${xy({ x: end.x - dy, y: end.y + dx })} ${xy({ x: end.x + dy, y: end.y - dx })}Z`;
  return `<path class="edge" fill="none" d="${path}"/><path class="tip" d="${head}"/>`;
}

function boxOf(box: Box, { x, y, width, height }: Rectangle): string {
  const lines = boxLines(box);
  const round = box.kind === "input" || box.kind === "output" ? height / 2 : 5;
  const texts = lines.map((line, i) => {
    const style = i === 0 ? `class="head" font-size="13"` : `class="small" font-size="11"`;
    return `<text ${style} text-anchor="middle" x="${n(x + width / 2)}" y="${n(y + padding + 11 + i * lineHeight)}">${escaped(line)}</text>`;
  });
  const macs = box.macs === null || box.macs === 0 ? "" : `, ${grouped(box.macs)} multiply-adds`;
  const told = `${box.name}: ${[box.text, ...box.followers].join("; ")}; ${paramsText(box.params, box.frozen)}${macs}; gives ${box.dtype}`;
  const frozen = box.frozen > 0 && box.frozen === box.params;
  return `<g class="${box.kind}${frozen ? " frozen" : ""}"><title>${escaped(told)}</title><rect rx="${n(round)}" ${box4(x, y, width, height)}/>${texts.join("")}</g>`;
}

/** The colors that appear, in a row below the drawing, broken where the drawing ends. */
function legendOf({ boxes, width }: Layout): { svg: string; width: number; height: number } {
  const kinds = [...new Set(boxes.map(({ box }) => box.kind))].filter((kind) => kind !== "input" && kind !== "output");
  const wide = Math.max(width, 420);
  let [x, y, used] = [0, 0, 0];
  const parts = kinds.map((kind: LayerKind) => {
    const step = kindTitles[kind].length * 6.6 + 34;
    if (x > 0 && x + step > wide) [x, y] = [0, y + 20];
    const part = `<g class="${kind}"><rect rx="3" ${box4(x, y, 14, 14)}/><text class="small" font-size="11" x="${n(x + 20)}" y="${y + 11}">${kindTitles[kind]}</text></g>`;
    x += step;
    used = Math.max(used, x);
    return part;
  });
  return { svg: parts.join(""), width: used, height: kinds.length === 0 ? 0 : y + 34 };
}

function box4(x: number, y: number, width: number, height: number): string {
  return `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;
}

function at({ x, y }: Point, down: number): string {
  return `x="${n(x)}" y="${n(y + down)}"`;
}

function xy({ x, y }: Point): string {
  return `${n(x)},${n(y)}`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text for SVG and HTML; control characters, which XML forbids, become a sign. */
export function escaped(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u001F\u007F-\u009F\uFFFE\uFFFF]/g, "\uFFFD")
  );
}
