import type { OptionNames } from "@convkit/errors";

/** The steps from pixels (0 to 255, RGB) to a network's input, in the order of the fields. */
export interface Preprocessing {
  /** Factor for the pixels: 1 / 255 gives 0 to 1. 1 by default. */
  readonly scale?: number | undefined;
  /** `"bgr"` reverses the channels; `"rgb"` by default. */
  readonly order?: "rgb" | "bgr" | undefined;
  /** Subtracted from each channel, after scaling and reordering; one number stands for all channels. 0 by default. */
  readonly mean?: readonly number[] | undefined;
  /** Divides each channel, after the mean; one number stands for all channels. 1 by default. */
  readonly std?: readonly number[] | undefined;
}

export const preprocessingNames: OptionNames<Preprocessing> = { scale: true, order: true, mean: true, std: true };
