import { OptionError, shown } from "@convkit/errors";
import type { Pair } from "@convkit/core";

type Size = readonly (number | null)[];

/**
 * The stride of a 1x1 convolution that changes a map's size from `before` to `after`: one number if it fits both axes,
 * else one per axis. Throws an `OptionError` that starts with `where` if there is none or a size is unknown.
 */
export function strideBetween(where: string, before: Size, after: Size): number | Pair {
  const sizes = [before[0], before[1], after[0], after[1]];
  if (sizes.some((size) => size == null)) {
    throw new OptionError(`${where}: expected known sizes before and after the main path, or the option stride.`);
  }
  const [height, width, rows, columns] = sizes as [number, number, number, number];
  const most = Math.max(height, width);
  const down = stridesTo(height, rows, most);
  const across = stridesTo(width, columns, most);
  const both = down.find((stride) => across.includes(stride));
  if (both !== undefined) return both;
  const [first, second] = [down[0], across[0]];
  if (first === undefined || second === undefined) {
    throw new OptionError(
      `${where}: expected a main path that keeps the size or divides it by a whole number, got ${shown(before)} and ${shown(after)}.`,
    );
  }
  return [first, second];
}

/**
 * The integer strides up to `most` with ceil(size / stride) = result, smallest first. A single pixel allows all of
 * them.
 */
function stridesTo(size: number, result: number, most: number): number[] {
  return Array.from({ length: most }, (_, i) => i + 1).filter((stride) => Math.ceil(size / stride) === result);
}
