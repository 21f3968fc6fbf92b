import type { Padding, Pads } from "@convkit/core";
import { padsOf } from "@convkit/core/internal";

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: Padding;
}

/** The longest side of an example whose numbers fit into a terminal, padding included. */
const longest = 12;

/**
 * A small map with an edge in its middle, and a kernel that finds such edges: the map's own size where it is small, else
 * large enough for three positions of the window. Undefined where it would be too large to read.
 */
export function exampleOf(
  size: readonly [number, number],
  window: Window,
): { input: number[][]; kernel: number[][] } | undefined {
  const { kernel, dilation } = window;
  const extent = (kernel - 1) * dilation + 1;
  const [height, width] = smallMapOf(size, window);
  const pads = padsAround([height, width], window);
  const sides = [height + pads[0][0] + pads[0][1], width + pads[1][0] + pads[1][1]];
  if (Math.max(...sides) > longest || Math.min(...sides) < extent) return undefined;
  const edge = Math.ceil(width / 2);
  const grid = (rows: number, columns: number, value: (row: number, column: number) => number): number[][] =>
    Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => value(row, column)));
  return {
    input: grid(height, width, (row, column) => (column < edge ? 1 + (row % 3) : 6 + (row % 2))),
    kernel: grid(kernel, kernel, (_, column) => (kernel === 1 ? 2 : Math.sign(2 * column - kernel + 1))),
  };
}

/** Height and width of the smallest map that shows how the window moves; the map's own where that is smaller. */
export function smallMapOf([height, width]: readonly [number, number], window: Window): [number, number] {
  const { kernel, stride, dilation, padding } = window;
  const extent = (kernel - 1) * dilation + 1;
  const side = (length: number): number =>
    Math.min(length, Math.max(5, extent + (padding === "valid" ? 2 * stride : 0)));
  return [side(height), side(width)];
}

/** How an output's side comes about: `(H + P - F) / S + 1 = (28 + 4 - 5) / 1 + 1 = 28`. `side` is the output's. */
export function sizeFormula(size: readonly [number, number], side: number, window: Window): string {
  const { kernel, stride, dilation } = window;
  const extent = (kernel - 1) * dilation + 1;
  const [[before, after]] = padsAround(size, window);
  const padded = size[0] + before + after;
  const down = (padded - extent) % stride === 0 ? "" : ", rounded down";
  return `(H + P - F) / S + 1 = (${size[0]} + ${before + after} - ${extent}) / ${stride} + 1 = ${side}${down}`;
}

/** Where the padding's rows and columns lie. */
export function padsText(size: readonly [number, number], window: Window): string {
  const [[top, bottom], [left, right]] = padsAround(size, window);
  if (Math.max(top, bottom, left, right) === 0) return "padding: none";
  return `padding: ${top} rows above, ${bottom} below, ${left} columns left, ${right} right`;
}

function padsAround(size: readonly [number, number], { kernel, stride, dilation, padding }: Window): Pads {
  return padsOf(padding, size, [kernel, kernel], [stride, stride], [dilation, dilation]);
}
