import type { Pair } from "@convkit/core";
import { inks, styledFor } from "../draw/colors.ts";
import type { Mode } from "../draw/colors.ts";
import { escaped } from "../draw/svg.ts";
import { windowTaps } from "./window-arithmetic.ts";
import type { DrawnWindow } from "./read-window.ts";
import { numberText, sumText } from "./window-sum.ts";
import type { WindowGrids, WindowSizes } from "./window-arithmetic.ts";

const cell = 28;
const gap = 44;
const margin = 16;

/** A row for each position: the input with its padding on the left, the output on the right. */
export function windowSvg(drawn: DrawnWindow): string {
  const { sizes, grids, positions, theme } = drawn;
  const padded: Pair = [
    grids.dense[0] + grids.pads[0][0] + grids.pads[0][1],
    grids.dense[1] + grids.pads[1][0] + grids.pads[1][1],
  ];
  const [left, right] = sizes.transposed ? [grids.sparse, padded] : [padded, grids.sparse];
  const head = 54;
  const row = Math.max(left[0], right[0]) * cell + 44;
  const sums = positions.map((position) => sumText(position, drawn));
  const told = titleText(drawn);
  const inner = Math.max((left[1] + right[1]) * cell + gap, ...[...sums, ...told].map((text) => text.length * 6.6));
  const [width, height] = [Math.ceil(inner + 2 * margin), head + positions.length * row + margin];
  const rows = positions.map((position, i) => {
    const y = head + i * row;
    const dense = denseGrid(position, drawn, padded);
    const sparse = sparseGrid(position, drawn);
    const middle = y + (Math.max(left[0], right[0]) * cell) / 2;
    const place = (size: Pair, x: number): string => `translate(${x} ${middle - (size[0] * cell) / 2})`;
    return [
      `<g transform="${place(left, margin)}">${sizes.transposed ? sparse : dense}</g>`,
      `<path class="arrow" d="M${margin + left[1] * cell + 10} ${middle}h${gap - 26}m-6 -5l6 5l-6 5"/>`,
      `<g transform="${place(right, margin + left[1] * cell + gap)}">${sizes.transposed ? dense : sparse}</g>`,
      `<text class="small" font-size="12" x="${margin}" y="${y + Math.max(left[0], right[0]) * cell + 20}">${sums[i]}</text>`,
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${told.join("; ")}">`,
    `<title>${told.join("; ")}</title><style>${styledFor(theme, rules)}</style><rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="head" font-size="14" x="${margin}" y="24">${told[0]}</text><text class="small" font-size="12" x="${margin}" y="42">${told[1]}</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function denseGrid(position: Pair, { sizes, grids, input, kernel, output }: DrawnWindow, padded: Pair): string {
  const taps = new Map(windowTaps(position, sizes).map(({ cell: at, tap }) => [at.join(), tap]));
  const values = sizes.transposed ? output : input;
  return cells(padded, (row, column) => {
    const [y, x] = [row - grids.pads[0][0], column - grids.pads[1][0]];
    const inside = y >= 0 && x >= 0 && y < grids.dense[0] && x < grids.dense[1];
    const tap = taps.get([row, column].join());
    const padText = values === undefined || sizes.transposed ? "" : "0";
    return {
      name: `${inside ? "map" : "pad"}${tap === undefined ? "" : " tap"}`,
      text: inside ? numberText(values?.[y]?.[x]) : padText,
      corner: tap === undefined || kernel === undefined ? "" : `×${numberText(kernel[tap[0]]?.[tap[1]])}`,
    };
  });
}

function sparseGrid(position: Pair, { sizes, grids, input, output }: DrawnWindow): string {
  const values = sizes.transposed ? input : output;
  return cells(grids.sparse, (row, column) => ({
    name: row === position[0] && column === position[1] ? "result here" : "result",
    text: numberText(values?.[row]?.[column]),
    corner: "",
  }));
}

function cells(
  [height, width]: Pair,
  describe: (row: number, column: number) => { name: string; text: string; corner: string },
): string {
  const parts: string[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const { name, text, corner } = describe(row, column);
      const [x, y] = [column * cell, row * cell];
      parts.push(`<rect class="${name}" x="${x}" y="${y}" width="${cell}" height="${cell}"/>`);
      const size = text.length > 3 ? 9 : 12;
      if (text !== "")
        parts.push(`<text font-size="${size}" text-anchor="middle" x="${x + cell / 2}" y="${y + 16}">${text}</text>`);
      if (corner !== "")
        parts.push(
          `<text class="small" font-size="8" text-anchor="end" x="${x + cell - 2}" y="${y + cell - 3}">${corner}</text>`,
        );
    }
  }
  return parts.join("");
}

function titleText({ sizes, grids, operation, title }: DrawnWindow): [string, string] {
  const { input, kernel, stride, dilation, transposed } = sizes;
  const output = transposed ? grids.dense : grids.sparse;
  const what = operation === "convolution" ? `${transposed ? "transposed " : ""}convolution` : `${operation} pooling`;
  const side = (pair: Pair): string => (pair[0] === pair[1] ? String(pair[0]) : pair.join("×"));
  return [
    title === undefined ? `${what} ${kernel.join("×")}: ${input.join("×")} to ${output.join("×")}` : escaped(title),
    `stride ${side(stride)}, dilation ${side(dilation)}, padding ${paddingText(sizes, grids.pads)}`,
  ];
}

function paddingText(
  { padding, transposed }: WindowSizes,
  [[top, bottom], [left, right]]: WindowGrids["pads"],
): string {
  const name = typeof padding === "string" ? `${padding}: ` : "";
  if (Math.max(top, bottom, left, right) === 0) return `${name}none`;
  return `${name}${transposed ? "cut off " : ""}${top} above, ${bottom} below, ${left} left, ${right} right`;
}

const cellColors = {
  light: { line: "#9aa5b1", map: "#dbe9fb", tap: "#f6c667", padTap: "#fbe9c3", result: "#d5f0ef", here: "#1f8580" },
  dark: { line: "#5b6673", map: "#1b3350", tap: "#8a6212", padTap: "#46360f", result: "#143a38", here: "#63c7c1" },
} as const;

function rules(mode: Mode): string {
  const { ground, ink, faint } = inks[mode];
  const { line, map, tap, padTap, result, here } = cellColors[mode];
  return [
    `.ground{fill:${ground}}text{fill:${ink}}.small{fill:${faint}}.arrow{fill:none;stroke-width:1.5;stroke:${faint}}rect{stroke:${line}}`,
    `.map{fill:${map}}.pad{fill:none;stroke-dasharray:3 2}.map.tap{fill:${tap}}.pad.tap{fill:${padTap}}`,
    `.result{fill:${result}}.here{stroke-width:2.5;stroke:${here}}`,
  ].join("");
}
