import type { Matrix, Pair } from "@convkit/core";
import { windowTaps } from "./window-arithmetic.ts";
import type { WindowGrids, WindowSizes } from "./window-arithmetic.ts";

export type WindowOperation = "convolution" | "max" | "average";

/**
 * The output's numbers. Padding counts as zeros for a convolution, and not at all for a pool, as in TensorFlow.
 */
export function windowValues(
  input: Matrix,
  kernel: Matrix | undefined,
  operation: WindowOperation,
  sizes: WindowSizes,
  { dense, pads, sparse }: WindowGrids,
): number[][] {
  const place = ([row, column]: Pair): Pair => [row - pads[0][0], column - pads[1][0]];
  const weight = ([i, j]: Pair): number => kernel?.[i]?.[j] ?? 1;
  if (sizes.transposed) {
    const output = grid(dense, () => 0);
    grid(sparse, (row, column) => {
      for (const { cell, tap } of windowTaps([row, column], sizes)) {
        const [y, x] = place(cell);
        const line = output[y];
        if (line?.[x] !== undefined) line[x] += (input[row]?.[column] ?? 0) * weight(tap);
      }
      return 0;
    });
    return output;
  }
  return grid(sparse, (row, column) => {
    const seen = windowTaps([row, column], sizes).flatMap(({ cell, tap }) => {
      const [y, x] = place(cell);
      const value = input[y]?.[x];
      return value === undefined ? [] : [{ value, tap }];
    });
    if (operation === "max") return Math.max(...seen.map(({ value }) => value));
    const sum = seen.reduce((total, { value, tap }) => total + value * (operation === "average" ? 1 : weight(tap)), 0);
    return operation === "average" ? sum / seen.length : sum;
  });
}

function grid([height, width]: Pair, value: (row: number, column: number) => number): number[][] {
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (__, column) => value(row, column)));
}
