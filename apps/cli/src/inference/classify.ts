import type { ImageFit } from "@convkit/core";
import { decodePredictions, type PredictorDescription, type PredictorOptions, predictor } from "@convkit/predict";
import { classNames, endsInLogits } from "@convkit/predict/internal";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { imageShape } from "../inputs/image-shape.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { resolveModel } from "../inputs/model-source.ts";
import { openSavedModel, runsAsGraph } from "../inputs/saved-model.ts";
import { flipHorizontally } from "./flip-images.ts";
import type { Forward } from "./forward.ts";

/** A class of an image and its probability. */
export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

/** An image and its most likely classes, the most likely first. */
export interface Answer {
  readonly image: string;
  readonly predictions: readonly Prediction[];
}

/** A model that classifies images. */
export interface Classifier {
  /** Height, width and channels of the model's input. */
  readonly shape: readonly [number, number, 1 | 3];
  /** How image files are decoded to that size. */
  readonly fit: ImageFit;
  /** The `top` most likely classes of each of `count` images; `mirror` averages over the images and their mirror images. */
  classify(
    data: Uint8Array,
    count: number,
    options: { readonly mirror: boolean; readonly top: number },
  ): Promise<readonly (readonly Prediction[])[]>;
  /** The runtime that was chosen, once something was classified. */
  describe(): PredictorDescription | undefined;
  dispose(): Promise<void>;
}

/** What computes the answers. */
export type Computing = Pick<PredictorOptions, "runtime" | "precision" | "threads">;

/** A classifier by an opened model. */
export function classifierOf(name: string, model: Opened): Classifier {
  const { forward, input, classes, logits, fit, describe = () => undefined } = model;
  const shape = imageShape(name, input, fit);
  return {
    shape,
    fit,
    async classify(data, count, { mirror, top }) {
      const scores = await scoresOf(forward, data, [count, ...shape], mirror);
      const rows = decodePredictions({ data: scores, shape: [count, scores.length / count] }, { top, classes, logits });
      return rows.map((row) => row.map(({ index, label, probability }) => ({ index, label, probability })));
    },
    describe,
    dispose: () => forward.dispose(),
  };
}

/** A model that predicts, and what is known of its images and classes. */
export interface Opened {
  readonly describe?: () => PredictorDescription | undefined;
  readonly forward: Forward;
  readonly input: readonly (number | null)[];
  /** The shape of the first output; undefined where it is not known. */
  readonly output?: readonly (number | null)[] | undefined;
  readonly classes: readonly string[];
  /** Whether the scores are logits; the scores tell where it is not known. */
  readonly logits?: boolean | undefined;
  readonly fit: ImageFit;
}

/** Opens the model `<model>`, with its preprocessing and its class names. */
export async function openForward(
  context: Context,
  name: string,
  options: ModelOptions,
  computing: Computing = {},
): Promise<Opened> {
  if (await runsAsGraph(context, name)) {
    if (computing.runtime !== undefined || computing.precision !== undefined)
      throw new UsageError(`${name} runs in TensorFlow as it is stored: leave --runtime and --precision out.`);
    const saved = await openSavedModel(context, name, options);
    const forward = { predict: saved.classify, dispose: saved.dispose };
    const { classes = [], images: fit = {} } = saved.metadata;
    return { forward, input: saved.input, classes, fit };
  }
  const { seed } = context.options;
  const {
    model,
    preprocessing,
    classes = classNames(model) ?? [],
    images: fit,
    isUntrained,
  } = await resolveModel(name, options, seed, (note) => context.out.note(note));
  if (isUntrained && seed === undefined)
    throw new UsageError(
      `${name} has random weights, so its answers mean nothing: give --weights imagenet or a file of weights, or --seed for random weights.`,
    );
  const forward = predictor(model, { preprocessing, ...computing });
  return {
    forward,
    describe: () => forward.describe(),
    input: model.inputs[0]!.shape,
    output: model.outputs[0]!.shape,
    classes,
    logits: endsInLogits(model),
    fit,
  };
}

async function scoresOf(
  forward: Forward,
  data: Uint8Array,
  shape: readonly [number, number, number, number],
  mirror: boolean,
): Promise<Float32Array> {
  const scores = (await forward.predict({ data, shape })).data;
  if (!mirror) return scores;
  const mirrored = (await forward.predict({ data: flipHorizontally(data, shape[2], shape[3]), shape })).data;
  return scores.map((score, index) => (score + mirrored[index]!) / 2);
}
