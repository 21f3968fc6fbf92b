import type { CsvColumns, MaskOptions } from "@convkit/datasets";
import type { AugmentationPlan } from "../step/augmentation.ts";
import type { FineTunePlan } from "../fine-tune/fine-tune-plan.ts";
import type { EarlyStoppingOptions } from "../callbacks/early-stopping.ts";
import type { Monitor } from "../run/monitor.ts";
import type { MetricPlanOption } from "../metrics/metric-set.ts";
import type { WeightAveraging } from "../loop/train-options.ts";
import type { Loss, LossName } from "../objective/loss.ts";
import type { Distillation } from "../objective/distillation.ts";
import type { OptimizerConfig } from "../optimization/optimizer-config.ts";
import type { PlateauOptions } from "../callbacks/reduce-on-plateau.ts";
import type { Schedule } from "../optimization/schedules.ts";

/** A training as plain data; its seed makes it repeatable. */
export interface Plan {
  readonly model: string;
  /** Changes to the network; by default it is built for the data's classes, with its own input size. */
  readonly modelOptions?:
    | {
        /** Number of outputs; by default one for each class of the data, or one for two classes if the network ends so. */
        readonly classes?: number | undefined;
        /** Height, width and channels; the architecture's own by default. */
        readonly input?: readonly [number, number, number] | undefined;
        /** Stochastic depth of the last residual path; the network's own by default. */
        readonly dropPath?: number | undefined;
        /** Rate of DropBlock in the last two stages of a ResNet; none by default. */
        readonly dropBlock?: number | undefined;
        /** Adds the auxiliary classifiers as further outputs; false by default. */
        readonly aux?: boolean | undefined;
        /** Channels of each level of `unet`; the paper's by default. */
        readonly widths?: readonly number[] | undefined;
      }
    | undefined;
  readonly data: string;
  /**
   * Validation images: `"test"` uses the test images, a number below 1 is the share of the training images, from 1 on
   * their count. By default the data's own validation images, if it has some.
   */
  readonly validation?: "test" | number | undefined;
  /** Whether images that `validation` and `limit` draw have the same share of each class; false by default. */
  readonly stratify?: boolean | undefined;
  /** `"balanced"` draws each class equally often in each epoch; by default each image comes once. */
  readonly sampling?: "balanced" | undefined;
  /** How often each image comes in a row, each time augmented anew; 1 by default. */
  readonly repeats?: number | undefined;
  /** The most images of each split, or of the named splits; all by default. */
  readonly limit?: number | Limits | undefined;
  /**
   * Resizes images of data sets in memory to `modelOptions.input`; images of folders are always decoded to that size.
   * False by default.
   */
  readonly resize?: boolean | undefined;
  /**
   * Cross-entropy of classes by default, binary cross-entropy of labels and of a model with one output, the mean of the
   * squared differences of numbers; or a loss for each output by its name.
   */
  readonly loss?: Loss | Readonly<Record<string, LossName | Loss>> | undefined;
  /** What is measured beside the loss, for all outputs or by their names; by default what suits the task. */
  readonly metrics?: MetricPlanOption | undefined;
  /** Factor for each output's loss by its name; 1 by default. */
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** The columns of a CSV file with labels, numbers, targets and inputs; a class in the column "label" by default. */
  readonly columns?: CsvColumns | undefined;
  /** What the values of masks mean; by default their numbers are the classes. */
  readonly masks?: MaskOptions | undefined;
  readonly optimizer: OptimizerConfig;
  /** How the learning rate changes; constant by default. */
  readonly schedule?: Schedule | undefined;
  readonly batch: number;
  readonly epochs: number;
  /** Steps of an epoch; by default one pass over the training images. */
  readonly stepsPerEpoch?: number | undefined;
  /** Batches that each validation draws; by default all validation images. */
  readonly validationSteps?: number | undefined;
  /** Random changes of the training images; none by default. */
  readonly augment?: AugmentationPlan | undefined;
  /** Trains as `fineTune` does: the head alone, then everything; by default all layers train from the start. */
  readonly fineTune?: Omit<FineTunePlan, "epochs" | "channels"> | undefined;
  /** A trained model, by its file or run directory, whose softened classes are targets, too; none by default. */
  readonly distill?: (Omit<Distillation, "teacher"> & { readonly teacher: string }) | undefined;
  /** Number of batches whose gradients are averaged before the weights change; 1 by default. */
  readonly accumulate?: number | undefined;
  /** Whether batch norm takes its statistics over all of several workers; false by default, over each one's own images. */
  readonly syncBatchNorm?: boolean | undefined;
  /** Decay of the moving average of the weights; no average by default. */
  readonly ema?: number | undefined;
  /** Ends with the mean of the weights of the epochs from `start` on; none by default. */
  readonly swa?: WeightAveraging | undefined;
  /** The value that decides which epoch is the best; `valLoss` by default, `loss` without validation images. */
  readonly monitor?: Monitor | undefined;
  /** Stops the run when a value stops improving; by default all epochs run. */
  readonly earlyStopping?: EarlyStoppingOptions | undefined;
  /** Reduces the learning rate when a value stops improving; by default only the schedule changes it. */
  readonly reduceOnPlateau?: PlateauOptions | undefined;
  /** Factor for the loss of each class's images; `"balanced"` gives all classes the same total. 1 by default. */
  readonly classWeights?: "balanced" | readonly number[] | undefined;
  /**
   * Factor for each output's loss; by default 1 for the main output, and the factor of the network's paper for
   * auxiliary outputs.
   */
  readonly outputWeights?: readonly number[] | undefined;
  /** Epochs between TensorBoard histograms of the weights; 0, the default, writes none. */
  readonly histograms?: number | undefined;
  /** What the run must reach on the test images, or on the validation images if there are no test images; nothing by default. */
  readonly expects?: Expectation | undefined;
}

/** What a run must reach. */
export interface Expectation {
  /** The least accuracy of data with a class for each image; none by default. */
  readonly accuracy?: number | undefined;
  /** The least value of each metric of labels, numbers and masks, by the metric's name; none by default. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
}

interface Limits {
  /** The most images for training; all by default. */
  readonly train?: number | undefined;
  /** The most images for validation; all by default. */
  readonly validation?: number | undefined;
  /** The most images for the test; all by default. */
  readonly test?: number | undefined;
}

/** A plan with a name and a source. `quick` has the changes for a run of minutes on data from npm. */
export interface Recipe extends Plan {
  readonly name: string;
  readonly about: string;
  readonly quick: Partial<Plan>;
}
