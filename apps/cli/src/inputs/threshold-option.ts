import { labelThresholds } from "../terminal/parsers.ts";
import type { OptionOf } from "../terminal/option.ts";

/** The probability above which a label counts: one for all, or one for each; `f1` chooses them. */
export const thresholdOption: OptionOf<number | readonly number[] | "f1"> = {
  value: "<share>",
  about: "the probability above which a label counts, or a list for all labels (default: the model's, else 0.5)",
  read: labelThresholds,
};
