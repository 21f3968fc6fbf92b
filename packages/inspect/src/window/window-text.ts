import type { Matrix } from "@convkit/core";
import { readWindow } from "./read-window.ts";
import type { DrawWindowOptions } from "./read-window.ts";
import { windowTaps } from "./window-arithmetic.ts";
import { numberText, sumText } from "./window-sum.ts";

/**
 * `drawWindow` for a terminal, for a map and a kernel with numbers: the map with its padding, the cells under the window's
 * first position in brackets, the kernel, the output, and the first position's sum. Lines are joined by newlines, without
 * one at the end.
 *
 * Throws an `OptionError` as `drawWindow` does. Without numbers, only the place of the window is told.
 */
export function windowText(options: DrawWindowOptions): string {
  const drawn = readWindow("windowText", options);
  const { sizes, grids, input, kernel, output } = drawn;
  const first = drawn.positions[0] ?? [0, 0];
  const sum = sumText(first, drawn);
  if (input === undefined || output === undefined) return sum;
  const [[top, bottom], [left, right]] = grids.pads;
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const padded = sizes.transposed
    ? input
    : [
        ...zeros(top).map(() => zeros(left + grids.dense[1] + right)),
        ...input.map((row) => [...zeros(left), ...row, ...zeros(right)]),
        ...zeros(bottom).map(() => zeros(left + grids.dense[1] + right)),
      ];
  const taps = sizes.transposed ? [first.join()] : windowTaps(first, sizes).map(({ cell }) => cell.join());
  const columns = [
    grid(padded, new Set(taps)),
    ...(kernel === undefined ? [] : [["*"], grid(kernel)]),
    ["="],
    grid(output, new Set(sizes.transposed ? [] : [first.join()])),
  ];
  return [...beside(columns), sum].join("\n");
}

function grid(rows: Matrix, marked: ReadonlySet<string> = new Set()): string[] {
  const texts = rows.map((row) => row.map(numberText));
  const width = Math.max(...texts.flat().map(({ length }) => length));
  return texts.map((row, y) =>
    row
      .map((text, x) => (marked.has(`${y},${x}`) ? `[${text.padStart(width)}]` : ` ${text.padStart(width)} `))
      .join(""),
  );
}

/** Blocks of lines next to each other, their middles on one line. */
function beside(columns: readonly (readonly string[])[]): string[] {
  const height = Math.max(...columns.map(({ length }) => length));
  const padded = columns.map((lines) => {
    const width = Math.max(...lines.map(({ length }) => length));
    const above = Math.floor((height - lines.length) / 2);
    return Array.from({ length: height }, (_, i) => (lines[i - above] ?? "").padEnd(width));
  });
  return Array.from({ length: height }, (_, i) =>
    padded
      .map((column) => column[i])
      .join("  ")
      .trimEnd(),
  );
}
