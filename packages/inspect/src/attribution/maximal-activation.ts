import { checkEngine, checkModel, checkNumber, checkWhole, evaluator, findLayer } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { oneImage } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { columnOf, targetOf } from "../network/target.ts";

export interface MaximalActivationOptions {
  /** Number of the class whose logit grows; none by default, with `layer`. */
  readonly class?: number | undefined;
  /** Name of the layer whose channel grows; none by default, with `class`. */
  readonly layer?: string | undefined;
  /** The channel of `layer`; all of them by default, as in DeepDream. */
  readonly channel?: number | undefined;
  /** The image to begin with, preprocessed; gray noise by default. */
  readonly image?: Images | undefined;
  /** Height and width, where the network takes any; 128 x 128 by default. */
  readonly size?: readonly [height: number, width: number] | undefined;
  /** Steps of gradient ascent; 64 by default. */
  readonly steps?: number | undefined;
  /** The mean change of a value in one step; 0.05 by default. */
  readonly rate?: number | undefined;
  /** The largest shift of the image before each step, in pixels, which keeps fine patterns down; 0 by default. */
  readonly jitter?: number | undefined;
  /** The share that each value loses in a step; 0 by default. */
  readonly decay?: number | undefined;
  /** Smallest and largest value of the image, preprocessed; no limits by default. */
  readonly range?: readonly [number, number] | undefined;
  /** Seed of the noise and the shifts; 1 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<MaximalActivationOptions> = {
  class: true,
  layer: true,
  channel: true,
  image: true,
  size: true,
  steps: true,
  rate: true,
  jitter: true,
  decay: true,
  range: true,
  seed: true,
};

/** An image that a class or a channel answers to. */
export interface MaximalActivation {
  readonly shape: readonly [height: number, width: number, channels: number];
  /** The image as the network takes it: `[h, w, c]`. */
  readonly values: Float32Array;
  /** What grew, before the first step and after each: the logit, or the mean of the channel. */
  readonly activations: readonly number[];
}

/**
 * Changes an image by gradient ascent until a class' logit, or the mean of a layer's channel, is large: activation
 * maximization, and DeepDream where it starts with a photo. Erhan et al. 2009; Mordvintsev et al. 2015; Olah et al. 2017,
 * https://distill.pub/2017/feature-visualization
 *
 * Throws an `OptionError` unless there is either a class or a layer, and for an image that does not fit.
 */
export async function maximalActivation(
  model: tfl.LayersModel,
  options: MaximalActivationOptions,
): Promise<MaximalActivation> {
  const where = "maximalActivation";
  checkModel(where, model);
  checkEngine(where);
  checkOptions(where, options, names);
  const { steps = 64, rate = 0.05, jitter = 0, decay = 0, range, seed = 1 } = options ?? {};
  for (const [what, value] of Object.entries({ steps, jitter, seed })) checkWhole(where, what, value, 0);
  for (const [what, value] of Object.entries({ rate, decay })) checkNumber(where, what, value, 0);
  const objective = objectiveOf(where, model, options);
  const random = tf.randomUniform([steps, 2], -jitter, jitter + 1, "int32", seed);
  const shifts = [...(await random.data())];
  random.dispose();
  let x = startOf(where, model, options);
  const step = tf.valueAndGrad((image: tf.Tensor) => objective(image));
  const activations: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const before = x;
    const shift: [number, number] = [shifts[2 * i] ?? 0, shifts[2 * i + 1] ?? 0];
    const made = tf.tidy(() => {
      const shifted = i === steps ? before : rolled(before, shift);
      const { value, grad } = step(shifted);
      const size = tf.add(tf.mean(tf.abs(grad)), 1e-12);
      const moved = tf.mul(tf.add(shifted, tf.mul(grad, tf.div(rate, size))), 1 - decay);
      const limited = range === undefined ? moved : tf.clipByValue(moved, range[0], range[1]);
      return { value, next: rolled(limited as tf.Tensor4D, [-shift[0], -shift[1]]) };
    });
    activations.push((await made.value.data())[0] as number);
    made.value.dispose();
    if (i === steps) made.next.dispose();
    else {
      before.dispose();
      x = made.next;
    }
  }
  const values = (await x.data()) as Float32Array;
  const shape = x.shape.slice(1) as [number, number, number];
  x.dispose();
  return { shape, values, activations };
}

function objectiveOf(
  where: string,
  model: tfl.LayersModel,
  { class: wanted, layer, channel }: MaximalActivationOptions = {},
): (image: tf.Tensor) => tf.Scalar {
  if ((wanted === undefined) === (layer === undefined)) {
    throw new OptionError(`${where}: expected either class or layer, got ${wanted === undefined ? "none" : "both"}.`);
  }
  if (layer === undefined) {
    const target = targetOf(where, model);
    const classes = model.outputs[0]?.shape.at(-1) ?? 0;
    if (!Number.isInteger(wanted) || (wanted as number) < 0 || (wanted as number) >= Math.max(classes, 2)) {
      throw new OptionError(
        `${where}: expected class as a number below ${Math.max(classes, 2)}, got ${shown(wanted)}.`,
      );
    }
    return (image) => tf.sum(columnOf(target.scores(image).values, wanted as number));
  }
  const { position } = findLayer(where, model, layer);
  const channels = position.tensor.shape.at(-1) as number;
  if (channel !== undefined && !(Number.isInteger(channel) && channel >= 0 && channel < channels)) {
    throw new OptionError(`${where}: expected channel as a number from 0 to ${channels - 1}, got ${shown(channel)}.`);
  }
  return (image) => {
    const map = evaluator(model, image)(position);
    if (channel === undefined) return tf.mean(map);
    const begin = [...map.shape.slice(0, -1).map(() => 0), channel];
    return tf.mean(tf.slice(map, begin, [...map.shape.slice(0, -1), 1]));
  };
}

function startOf(
  where: string,
  model: tfl.LayersModel,
  { image, size, seed = 1 }: MaximalActivationOptions,
): tf.Tensor4D {
  if (image !== undefined) return oneImage(where, model, image);
  const [, height, width, channels] = model.inputs[0]?.shape ?? [];
  const [h, w] = size ?? [128, 128];
  const noise = tf.randomNormal<tf.Rank.R4>([1, height ?? h, width ?? w, channels ?? 3], 0, 0.1, "float32", seed);
  try {
    return oneImage(where, model, noise);
  } finally {
    noise.dispose();
  }
}

/** The image moved down and to the right; what leaves on one side comes back on the other. */
function rolled(image: tf.Tensor4D, shift: readonly [number, number]): tf.Tensor4D {
  return shift.reduce<tf.Tensor4D>((moved, by, i) => {
    const axis = i + 1;
    const length = moved.shape[axis] as number;
    const cut = (((-by % length) + length) % length) as number;
    if (cut === 0) return moved;
    const [first, second] = tf.split(moved, [cut, length - cut], axis) as [tf.Tensor4D, tf.Tensor4D];
    return tf.concat([second, first], axis);
  }, image);
}
