import type { EarlyStoppingOptions } from "./early-stopping.ts";
import type { Monitor } from "./monitor.ts";
import type { Loss } from "./objective.ts";
import type { OptimizerConfig } from "./optimizer.ts";
import type { PlateauOptions } from "./reduce-on-plateau.ts";
import type { Schedule } from "./schedules.ts";

/** A training as plain data: with a seed it can be repeated. */
export interface Plan {
  readonly model: string;
  readonly modelOptions?: {
    readonly classes?: number;
    readonly input?: readonly [number, number, number];
    readonly aux?: boolean;
  };
  readonly data: string;
  /** `"test"` where the source judges its epochs by the test images; else what is split off the training images. */
  readonly validation?: "test" | number;
  /** At most so many images of each split. */
  readonly limit?: number;
  readonly loss: Loss;
  readonly optimizer: OptimizerConfig;
  readonly schedule?: Schedule;
  readonly batch: number;
  readonly epochs: number;
  readonly monitor?: Monitor;
  readonly earlyStopping?: EarlyStoppingOptions;
  readonly reduceOnPlateau?: PlateauOptions;
  /** What each output's loss counts. */
  readonly outputWeights?: readonly number[];
  /** TensorBoard histograms of the weights every so many epochs. */
  readonly histograms?: number;
  /** The accuracy on the test images (or the validation images where there are no others) that it must reach. */
  readonly expects?: { readonly accuracy: number };
}

/** A plan with a name and a source; `quick` is what changes for a run of minutes on data that installs. */
export interface Recipe extends Plan {
  readonly name: string;
  readonly about: string;
  readonly quick: Partial<Plan>;
}

const lenet5Mnist: Recipe = {
  name: "lenet5-mnist",
  about: "LeNet-5 on MNIST, as in the notebook on convolutional networks",
  model: "lenet5",
  data: "mnist",
  // The notebook gives the test images to fit as validation data.
  validation: "test",
  loss: { name: "sparse-categorical-crossentropy" },
  optimizer: { name: "sgd", learningRate: 0.01 },
  batch: 32,
  epochs: 100,
  earlyStopping: { monitor: "valLoss", patience: 3 },
  histograms: 1,
  expects: { accuracy: 0.988 },
  quick: { epochs: 8, expects: { accuracy: 0.98 } },
};

const inceptionCifar10: Recipe = {
  name: "inception-cifar10",
  about: "four branches and a concat on CIFAR-10, as in the notebook on inception",
  model: "inception-cifar10",
  data: "cifar10",
  validation: "test",
  loss: { name: "categorical-crossentropy" },
  optimizer: { name: "adam", learningRate: 0.001 },
  batch: 128,
  epochs: 10,
  expects: { accuracy: 0.6 },
  quick: { data: "mnist", modelOptions: { input: [28, 28, 1] }, limit: 10_000, epochs: 3, expects: { accuracy: 0.96 } },
};

/** The trainings that run by name. */
export const recipes = {
  "lenet5-mnist": lenet5Mnist,
  "inception-cifar10": inceptionCifar10,
} as const satisfies Readonly<Record<string, Recipe>>;

/** The name of a recipe. */
export type RecipeName = keyof typeof recipes;
