import type { Matrix, Padding, Pair } from "@convkit/core";
import { checkWhole } from "@convkit/core/internal";
import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { checkTheme } from "../draw/colors.ts";
import type { Theme } from "../draw/colors.ts";
import { windowGrids } from "./window-arithmetic.ts";
import type { WindowGrids, WindowSizes } from "./window-arithmetic.ts";
import { windowValues } from "./window-values.ts";
import type { WindowOperation } from "./window-values.ts";

/** A window over a map. */
export interface DrawWindowOptions {
  /** Height and width of the map, or its numbers, which are written into the cells then. */
  readonly input: number | Pair | Matrix;
  /** Height and width of the window, or a kernel's numbers. */
  readonly kernel: number | Pair | Matrix;
  /** Cells between two positions of the window; 1 by default. */
  readonly stride?: number | Pair | undefined;
  /** Cells between two taps of the window; 1 by default. */
  readonly dilation?: number | Pair | undefined;
  /** `"valid"` by default: none. */
  readonly padding?: Padding | undefined;
  /** `"convolution"` by default; `"max"` and `"average"` pool. */
  readonly operation?: WindowOperation | undefined;
  /** A transposed convolution: each input cell writes a window into the output; `false` by default. */
  readonly transposed?: boolean | undefined;
  /** The positions that are drawn, as row and column; the first, the second and the last by default. */
  readonly positions?: readonly Pair[] | undefined;
  /** `"auto"`, which follows the reader's setting, by default. */
  readonly theme?: Theme | undefined;
  /** The line above the drawing; by default the operation with its sizes: "convolution 3×3: 5×5 to 3×3". */
  readonly title?: string | undefined;
}

/** A window, checked, with the numbers of its cells where they are given. */
export interface DrawnWindow {
  readonly sizes: WindowSizes;
  readonly grids: WindowGrids;
  readonly positions: readonly Pair[];
  readonly operation: WindowOperation;
  readonly theme: Theme;
  readonly title: string | undefined;
  readonly input: Matrix | undefined;
  readonly kernel: Matrix | undefined;
  readonly output: Matrix | undefined;
}

const optionNames: OptionNames<DrawWindowOptions> = {
  input: true,
  kernel: true,
  stride: true,
  dilation: true,
  padding: true,
  operation: true,
  transposed: true,
  positions: true,
  theme: true,
  title: true,
};

const longest = 24;

/** A window with all that its pictures need. Throws an `OptionError` for what does not fit, for `where`. */
export function readWindow(where: string, options: DrawWindowOptions): DrawnWindow {
  checkOptions(where, options, optionNames);
  checkTheme(where, options.theme);
  if (options.title !== undefined && typeof options.title !== "string") {
    throw new OptionError(`${where}: expected title as text, got ${shown(options.title)}.`);
  }
  const { operation = "convolution", transposed = false, padding = "valid" } = options;
  if (!["convolution", "max", "average"].includes(operation)) {
    throw new OptionError(`${where}: expected operation as convolution, max or average, got ${shown(operation)}.`);
  }
  const [input, kernel] = [gridOf(where, "input", options.input), gridOf(where, "kernel", options.kernel)];
  const sizes: WindowSizes = {
    input: input.size,
    kernel: kernel.size,
    stride: pairOf(where, "stride", options.stride ?? (operation === "convolution" ? 1 : kernel.size)),
    dilation: pairOf(where, "dilation", options.dilation ?? 1),
    padding,
    transposed,
  };
  const grids = windowGrids(sizes);
  for (const size of [sizes.input, grids.dense, grids.sparse]) {
    if (Math.max(...size) <= longest) continue;
    throw new OptionError(
      `${where}: expected at most ${longest} cells a side, got ${size.join("x")}; draw a smaller map.`,
    );
  }
  const [rows, columns] = grids.sparse;
  const standard: Pair[] = [[0, 0], columns > 1 ? [0, 1] : [1, 0], [rows - 1, columns - 1]];
  const positions = (options.positions ?? standard.filter(([row, column]) => row < rows && column < columns)).filter(
    (position, i, all) => all.findIndex((other) => other.join() === position.join()) === i,
  );
  for (const [row, column] of positions) {
    if (row >= 0 && column >= 0 && row < rows && column < columns) continue;
    throw new OptionError(`${where}: expected positions inside of ${rows}x${columns}, got ${row}, ${column}.`);
  }
  const values =
    input.values === undefined ? undefined : windowValues(input.values, kernel.values, operation, sizes, grids);
  return {
    sizes,
    grids,
    positions,
    operation,
    theme: options.theme ?? "auto",
    title: options.title,
    input: input.values,
    kernel: kernel.values,
    output: values,
  };
}

function gridOf(
  where: string,
  name: string,
  value: number | Pair | Matrix,
): { size: Pair; values: Matrix | undefined } {
  if (!Array.isArray(value) || !Array.isArray(value[0]))
    return { size: pairOf(where, name, value as number | Pair), values: undefined };
  const rows = value as Matrix;
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row.length !== width || row.some((each) => !Number.isFinite(each)))) {
    throw new OptionError(`${where}: expected ${name} as rows of as many numbers each, got ${shown(rows)}.`);
  }
  return { size: [rows.length, width], values: rows };
}

function pairOf(where: string, name: string, value: number | Pair): Pair {
  const sides: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (sides.length !== 2)
    throw new OptionError(`${where}: expected ${name} as a number or a pair, got ${shown(value)}.`);
  for (const side of sides) checkWhole(where, name, side, 1);
  return sides as unknown as Pair;
}
