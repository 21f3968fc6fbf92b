import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { RandomSource } from "../random/random-source.ts";

/** Draws one of `count` numbers for each image, `[n]` int32. */
export function drawIndex(random: RandomSource, n: number, count: number): tf.Tensor1D {
  // A draw may round up to its bound.
  return tf.cast(tf.minimum(tf.floor(random.uniform([n], 0, count)), count - 1), "int32") as tf.Tensor1D;
}

/** Throws an OptionError unless `fillValue` is a level of 0 to 255. */
export function checkedFill(where: string, fillValue: number): void {
  if (Number.isInteger(fillValue) && fillValue >= 0 && fillValue <= 255) return;
  throw new OptionError(`${where}: expected a whole number from 0 to 255 as fillValue, got ${shown(fillValue)}.`);
}

/** Throws an OptionError unless `value` is a whole number between `least` and `most`. */
export function checkedWhole(
  where: string,
  name: string,
  value: number,
  [least, most]: readonly [number, number],
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = Number.isFinite(most) ? `from ${least} to ${most}` : `from ${least}`;
  throw new OptionError(`${where}: expected a whole number ${range} as ${name}, got ${shown(value)}.`);
}
