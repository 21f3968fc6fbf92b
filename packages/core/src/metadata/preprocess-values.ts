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
  checkOptions("preprocess", preprocessing, preprocessingNames);
  const { scale = 1, order = "rgb", mean = [0], std = [1] } = preprocessing;
  checkChannels(preprocessing, channels);
  const forEach = (values: readonly number[]) =>
    Float32Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!);
  const [means, deviations, factor] = [forEach(mean), forEach(std), Math.fround(scale)];
  const result = new Float32Array(pixels.length);
  for (let start = 0; start < pixels.length; start += channels) {
    for (let c = 0; c < channels; c++) {
      const value = pixels[start + (order === "bgr" ? channels - 1 - c : c)]!;
      const centered = Math.fround(Math.fround(value * factor) - means[c]!);
      result[start + c] = centered / deviations[c]!;
    }
  }
  return result;
}

/** Throws an `OptionError` if `mean` or `std` has numbers for another number of channels. */
export function checkChannels({ mean, std }: Preprocessing, channels: number | undefined): void {
  for (const [field, values] of Object.entries({ mean, std })) {
    if (values !== undefined && values.length !== 1 && values.length !== channels) {
      throw new OptionError(
        `preprocess: expected images of ${values.length} channels, as ${field} has, got ${channels}.`,
      );
    }
  }
}
