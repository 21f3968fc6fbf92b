import { type ImageFit, modelMetadata } from "@convkit/core";
import { endOf } from "@convkit/core/internal";
import {
  decodePredictions,
  type PredictorDescription,
  type Predictor,
  type PredictorOptions,
  predictor,
} from "@convkit/predict";
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
export interface Answer extends Ranked {
  readonly image: string;
}

/** The most likely classes of an image, the most likely first. */
export interface Ranked {
  readonly predictions: readonly Prediction[];
  /** The labels above their thresholds; missing for a model that tells one class an image. */
  readonly labels?: readonly Prediction[] | undefined;
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
  ): Promise<readonly Ranked[]>;
  /** The runtime that was chosen, once something was classified. */
  describe(): PredictorDescription | undefined;
  dispose(): Promise<void>;
}

/** What computes the answers. */
export type Computing = Pick<PredictorOptions, "runtime" | "precision" | "threads">;

/** A classifier by an opened model; `threshold` counts in place of the model's own. */
export function classifierOf(name: string, model: Opened, threshold?: number | readonly number[]): Classifier {
  const { forward, input, classes, logits, fit, tellsLabels = false, describe = () => undefined } = model;
  const thresholds = threshold ?? model.thresholds ?? 0.5;
  const units = model.output?.at(-1);
  if (typeof thresholds === "object" && tellsLabels && units != null && thresholds.length !== units)
    throw new UsageError(`--threshold: expected ${units} numbers, one a label, got ${thresholds.length}.`);
  const shape = imageShape(name, input, fit);
  return {
    shape,
    fit,
    async classify(data, count, { mirror, top }) {
      const scores = await scoresOf(forward, data, [count, ...shape], mirror);
      const width = scores.length / count;
      const decoding = { top: tellsLabels ? width : top, classes, logits };
      const rows = decodePredictions({ data: scores, shape: [count, width] }, decoding);
      return rows.map((row) => {
        const all = row.map(({ index, label, probability }) => ({ index, label, probability }));
        if (!tellsLabels) return { predictions: all };
        const isAbove = ({ index, probability }: Prediction): boolean =>
          probability > (typeof thresholds === "object" ? thresholds[index]! : thresholds);
        return { predictions: all.slice(0, top), labels: all.filter(isAbove) };
      });
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
  /** All outputs of a model of layers: the name of each, and how it ends. */
  readonly outputs?: readonly { readonly name: string; readonly kind: string }[] | undefined;
  /** All outputs of a model of layers. */
  readonly predictAll?: Predictor["predictAll"] | undefined;
  readonly classes: readonly string[];
  /** Whether the scores are logits; the scores tell where it is not known. */
  readonly logits?: boolean | undefined;
  readonly fit: ImageFit;
  /** Whether the model tells several labels an image, each with a sigmoid; false if missing. */
  readonly tellsLabels?: boolean | undefined;
  /** The probability above which each label counts; 0.5 if missing. */
  readonly thresholds?: readonly number[] | undefined;
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
    outputs: model.outputs.map((output) => ({ name: output.sourceLayer.name, kind: endOf(output).kind })),
    predictAll: (inputs) => forward.predictAll(inputs),
    classes,
    logits: endsInLogits(model),
    fit,
    tellsLabels: endOf(model.outputs[0]!).kind === "sigmoid" && (model.outputs[0]!.shape.at(-1) ?? 1) > 1,
    thresholds: modelMetadata(model).thresholds,
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
