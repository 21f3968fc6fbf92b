import { checkOptions, OptionError } from "@convkit/errors";
import { preprocessingNames } from "./preprocessing-steps.ts";
import type { Preprocessing } from "./preprocessing-steps.ts";

/**
 * `preprocess` without tfjs, bit for bit: pixels from 0 to 255 (`[…, channels]`, one after the other) to a network's input in
 * float32. Throws an `OptionError` if the number of channels does not match.
 */
export function preprocessValues(
  pixels: ArrayLike<number>,
  channels: number,
  preprocessing: Preprocessing,
): Float32Array {
  return valuesPreprocessor(preprocessing)(pixels, channels);
}

/** `preprocessValues` for many calls, into the memory that is given. */
export function valuesPreprocessor(
  preprocessing: Preprocessing,
): (pixels: ArrayLike<number>, channels: number, result?: Float32Array) => Float32Array {
  checkOptions("preprocess", preprocessing, preprocessingNames);
  const { scale = 1, order = "rgb", mean = [0], std = [1] } = preprocessing;
  const factor = Math.fround(scale);
  const isScaleOnly = [...mean, ...std.map((each) => each - 1)].every((each) => each === 0) && order === "rgb";
  return (pixels, channels, result = new Float32Array(pixels.length)) => {
    checkChannels(preprocessing, channels);
    if (isScaleOnly) {
      for (let i = 0; i < result.length; i++) result[i] = pixels[i]! * factor;
      return result;
    }
    const forEach = (values: readonly number[]) =>
      Float32Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!);
    const [means, deviations] = [forEach(mean), forEach(std)];
    for (let start = 0; start < pixels.length; start += channels) {
      for (let c = 0; c < channels; c++) {
        const value = pixels[start + (order === "bgr" ? channels - 1 - c : c)]!;
        const centered = Math.fround(Math.fround(value * factor) - means[c]!);
        result[start + c] = centered / deviations[c]!;
      }
    }
    return result;
  };
}

/** Throws an `OptionError` if `mean` or `std` has numbers for another number of channels. */
export function checkChannels({ mean, std }: Preprocessing, channels: number | undefined): void {
  for (const [field, values] of [
    ["mean", mean],
    ["std", std],
  ] as const) {
    if (values !== undefined && values.length !== 1 && values.length !== channels) {
      throw new OptionError(
        `preprocess: expected images of ${values.length} channels, as ${field} has, got ${channels}.`,
      );
    }
  }
}
