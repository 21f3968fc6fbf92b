import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";

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

/** Throws what `failure` makes of a sentence that starts with `where`, for steps that cannot be computed. */
export function checkPreprocessing(
  where: string,
  preprocessing: Preprocessing | undefined,
  failure: (message: string) => Error = (message) => new OptionError(message),
): void {
  checkOptions(where, preprocessing, preprocessingNames, failure);
  const { scale, order, mean, std } = preprocessing ?? {};
  const expect = (holds: boolean, what: string, value: unknown): void => {
    if (!holds) throw failure(`${where}: expected ${what}, got ${shown(value)}.`);
  };
  const areNumbers = (values: unknown): boolean =>
    Array.isArray(values) && values.length > 0 && values.every((value) => Number.isFinite(value));
  expect(scale === undefined || Number.isFinite(scale), "scale to be a number", scale);
  expect(order === undefined || order === "rgb" || order === "bgr", 'order to be "rgb" or "bgr"', order);
  expect(mean === undefined || areNumbers(mean), "mean to be a list of numbers", mean);
  expect(std === undefined || (areNumbers(std) && !std.includes(0)), "std to be a list of numbers other than 0", std);
}
