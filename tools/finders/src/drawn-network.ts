import { hashText, uniformValues } from "@convkit/core/internal";
import { createModel, findArchitecture } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** A network of the zoo with random weights, two images for it, and its logits. */
export interface DrawnNetwork {
  readonly model: tfl.LayersModel;
  /** `[2, height, width, channels]`. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly logits: Float32Array;
  /** How far the logits of the two images are from each other, as a share of the largest. */
  readonly spread: number;
}

function drawn(shape: readonly number[], seed: string): Float32Array {
  const count = shape.reduce((product, each) => product * each, 1);
  return uniformValues(count, -1, 1, hashText(seed));
}

/** Neither square nor a multiple of 32 where the network takes any size. */
export function drawnNetwork(name: ModelName): DrawnNetwork {
  const { input } = findArchitecture(name);
  const size = input[0]! > 64 ? ([97, 113, 3] as const) : input;
  const model = createModel(name, { input: size, logits: true, seed: 1 });
  const shape = [2, ...size];
  const values = drawn(shape, name);
  const images = tf.tensor(values, shape);
  // Of two images alone, maps of one pixel would have the statistics of two numbers, which blow rounding up to the largest logit.
  const many = [8, ...size];
  const others = tf.tensor(drawn(many, `${name} statistics`), many);
  setStatistics(model, others);
  others.dispose();
  const logits = tf.tidy(() => (model.predict(images) as tf.Tensor).dataSync()) as Float32Array;
  images.dispose();
  return { model, shape, values, logits, spread: spreadOf(logits) };
}

/**
 * Draws the factors and offsets of batch norms, and gives them the statistics of the images: with statistics that are drawn, too,
 * the logits of a deep network hardly depend on the image, and wrong layers would pass.
 */
function setStatistics(model: tfl.LayersModel, images: tf.Tensor): void {
  const norms = model.layers.filter((layer) => layer.getClassName() === "BatchNormalization");
  for (const weight of model.weights) {
    const kind = weight.originalName.split("/").at(-1)!;
    if (!["gamma", "beta", "bias"].includes(kind)) continue;
    const isOfNorm = norms.some((norm) => norm.weights.includes(weight));
    const [low, high] = kind === "gamma" ? [0.5, 1.2] : isOfNorm ? [0.3, 0.9] : [-0.1, 0.1];
    const length = weight.shape.reduce<number>((product, size) => product * size!, 1);
    const values = tf.tensor(uniformValues(length, low, high, hashText(weight.originalName)), weight.shape as number[]);
    weight.write(values);
    values.dispose();
  }
  // One call that takes over the statistics, by norms alone: dropout stays off.
  const calls = norms.map((norm) => {
    const settings = norm as unknown as { momentum: number };
    const before = settings.momentum;
    const call = norm.call.bind(norm);
    settings.momentum = 0;
    norm.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: true });
    return () => {
      settings.momentum = before;
      Reflect.deleteProperty(norm, "call");
    };
  });
  tf.dispose(model.predict(images));
  for (const restore of calls) restore();
}

function spreadOf(logits: Float32Array): number {
  const [half, largest] = [logits.length / 2, logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0)];
  return logits.slice(half).reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i]!)), 0) / largest;
}
