import { oneOf, type OptionNames, wholeFromOne, wholeFromZero } from "@convkit/errors";
import { fieldProblems, type Fields } from "../checks/fields.ts";

/** The part of a fine-tuning besides the options of `train`. */
export interface FineTunePlan {
  /** Epochs in which only the head learns; 1 by default, 0 begins with everything. */
  readonly headEpochs?: number | undefined;
  /** Epochs after that, with everything thawed in the last stage; 3 by default. */
  readonly epochs?: number | undefined;
  /**
   * In how many stages the layers thaw after the head's epochs, from the head to the stem; each stage but the last has
   * `stageEpochs`. 1 by default: all at once.
   */
  readonly stages?: number | undefined;
  /** Epochs of each stage but the last; 1 by default. */
  readonly stageEpochs?: number | undefined;
  /**
   * Whether batch normalization keeps its statistics and parameters (`"still"`, the default), so that small batches do not spoil
   * them, or learns when its layers thaw (`"train"`).
   */
  readonly norms?: "still" | "train" | undefined;
  /**
   * `"adapt"` takes images of other channels than the model's: its first convolution is summed over its channels for gray images, and
   * repeated and scaled for others, as timm does. By default such images are refused.
   */
  readonly channels?: "adapt" | undefined;
}

/** The names of the options. */
export const fineTuneNames: OptionNames<FineTunePlan> = {
  headEpochs: true,
  epochs: true,
  stages: true,
  stageEpochs: true,
  norms: true,
  channels: true,
};

const fields: Fields<FineTunePlan> = {
  headEpochs: wholeFromZero,
  epochs: wholeFromOne,
  stages: wholeFromOne,
  stageEpochs: wholeFromOne,
  norms: oneOf(["still", "train"]),
  channels: oneOf(["adapt"]),
};

/** One sentence for each invalid part. */
export function fineTuneProblems(plan: FineTunePlan | undefined): string[] {
  return fieldProblems("fineTune", plan, fields);
}

/** The same for a plan, which has its number of epochs elsewhere, and the channels with the weights. */
export function plannedFineTuneProblems(plan: Omit<FineTunePlan, "epochs" | "channels"> | undefined): string[] {
  const { epochs: _epochs, channels: _channels, ...others } = fields;
  return fieldProblems("fineTune", plan, others);
}
