import { checkWhole, evaluator, findMap, positionKey, sourcesOf } from "@convkit/core/internal";
import { OptionError, checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { resizeMap, stretched } from "../maps/resize-map.ts";
import type { LayerPosition } from "@convkit/core/internal";
import { oneImage } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { columnOf, explainedClass, targetOf } from "../network/target.ts";
import type { Explained, Target, TargetOptions } from "../network/target.ts";

export interface ClassActivationOptions extends TargetOptions {
  /** Name of the layer whose feature map is weighted; the last map that the output depends on by default. */
  readonly layer?: string | undefined;
}

export interface ScoreCamOptions extends ClassActivationOptions {
  /** Masked images that go through the network at once; 16 by default. */
  readonly batch?: number | undefined;
}

const names: OptionNames<ClassActivationOptions> = { class: true, output: true, layer: true };

/** Where in an image a network finds a class. */
export interface ClassActivation extends Explained {
  readonly layer: string;
  /** Height and width of the image. */
  readonly shape: readonly [height: number, width: number];
  /** The map, resized to the image and stretched to 0..1: `[h, w]`. */
  readonly values: Float32Array;
  /** The weighted sum of the layer's channels where it is positive, as it is computed. */
  readonly map: { readonly shape: readonly [height: number, width: number]; readonly values: Float32Array };
  /** The weight of each channel. */
  readonly weights: Float32Array;
}

/**
 * Grad-CAM: the channels of a feature map, each weighted by the mean gradient of the class' logit. Selvaraju et al. 2017,
 * https://arxiv.org/abs/1610.02391
 *
 * Throws an `OptionError` for an image that does not fit, an unknown class or layer, and a layer without a feature map.
 */
export function gradCam(
  model: tfl.LayersModel,
  image: Images,
  options?: ClassActivationOptions,
): Promise<ClassActivation> {
  return byGradient("gradCam", model, image, options, (_, gradients, channels) => {
    const positions = gradients.length / channels;
    return channelSums(gradients, channels).map((sum) => sum / positions);
  });
}

/**
 * Grad-CAM++: positive gradients count, each by its share in the score, so that several objects of a class are all found.
 * Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063, equation 19
 *
 * Throws as `gradCam` does.
 */
export function gradCamPlusPlus(
  model: tfl.LayersModel,
  image: Images,
  options?: ClassActivationOptions,
): Promise<ClassActivation> {
  return byGradient("gradCamPlusPlus", model, image, options, (activations, gradients, channels) => {
    const sums = channelSums(activations, channels);
    const shares = gradients.map((gradient, i) => {
      const square = gradient ** 2;
      const share = square / (2 * square + (sums[i % channels] as number) * gradient ** 3 + 1e-6);
      return gradient === 0 ? 0 : share * Math.max(gradient, 0);
    });
    return channelSums(shares, channels);
  });
}

/**
 * Score-CAM: the channels of a feature map, each weighted by the score of the image that the channel masks; no gradient is
 * used. It runs the network once a channel. Wang et al. 2020, https://arxiv.org/abs/1910.01279
 *
 * Throws as `gradCam` does.
 */
export async function scoreCam(
  model: tfl.LayersModel,
  image: Images,
  options?: ScoreCamOptions,
): Promise<ClassActivation> {
  const where = "scoreCam";
  checkOptions(where, options, { ...names, batch: true });
  const { batch = 16, ...target } = options ?? {};
  checkWhole(where, "batch", batch, 1);
  return weighted(where, model, image, target, async (found, activation, explained, x) => {
    const channels = activation.shape[3];
    const masks = tf.tidy(() => {
      const size = x.shape.slice(1, 3) as [number, number];
      const maps = tf.transpose(activation, [3, 1, 2, 0]) as tf.Tensor4D;
      const large = tf.image.resizeBilinear(maps, size, true);
      const [least, most] = [tf.min(large, [1, 2], true), tf.max(large, [1, 2], true)];
      return tf.div(tf.sub(large, least), tf.add(tf.sub(most, least), 1e-8));
    });
    const scores: number[] = [];
    for (let from = 0; from < channels; from += batch) {
      const some = tf.tidy(() => {
        const mask = tf.slice(masks, from, Math.min(batch, channels - from));
        return columnOf(found.scores(tf.mul(x, mask)).values, explained.class);
      });
      scores.push(...(await some.data()));
      some.dispose();
    }
    masks.dispose();
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((a, b) => a + b, 0);
    return Float32Array.from(powers, (power) => power / total);
  });
}

function byGradient(
  where: string,
  model: tfl.LayersModel,
  image: Images,
  options: ClassActivationOptions | undefined,
  weightsOf: (activations: Float32Array, gradients: Float32Array, channels: number) => Float32Array,
): Promise<ClassActivation> {
  checkOptions(where, options, names);
  return weighted(where, model, image, options, async (target, activation, explained, x, map) => {
    const gradients = tf.tidy(() =>
      tf.grad((values) => target.sum(explained, x, new Map([[positionKey(map.position), values]])))(activation),
    );
    const result = weightsOf(
      (await activation.data()) as Float32Array,
      (await gradients.data()) as Float32Array,
      activation.shape[3],
    );
    gradients.dispose();
    return result;
  });
}

async function weighted(
  where: string,
  model: tfl.LayersModel,
  image: Images,
  options: ClassActivationOptions = {},
  weightsOf: (
    target: Target,
    activation: tf.Tensor4D,
    explained: Explained,
    image: tf.Tensor4D,
    map: LayerPosition,
  ) => Promise<Float32Array>,
): Promise<ClassActivation> {
  const target = targetOf(where, model, options.output);
  const map = findMap(where, model, options.layer, sourcesOf(target.end.base));
  const x = oneImage(where, model, image);
  const activation = tf.tidy(() => evaluator(model, x)(map.position)) as tf.Tensor4D;
  try {
    const explained = await explainedClass(where, target, x, options.class);
    const weights = await weightsOf(target, activation, explained, x, map);
    const [, height, width, channels] = activation.shape;
    const values = new Float32Array(height * width);
    ((await activation.data()) as Float32Array).forEach((value, i) => {
      values[Math.floor(i / channels)]! += value * (weights[i % channels] as number);
    });
    const positive = values.map((value) => Math.max(value, 0));
    if (positive.some(Number.isNaN))
      throw new OptionError(`${where}: the map of ${map.path} has values that are no numbers.`);
    const shape = [x.shape[1], x.shape[2]] as const;
    // Stretched before and after, as in pytorch-grad-cam: interpolation lowers the peak.
    const large = stretched(resizeMap(stretched(positive), [height, width], shape));
    const own = { shape: [height, width] as const, values: positive };
    return { ...explained, layer: map.path, shape, values: large, map: own, weights };
  } finally {
    activation.dispose();
    x.dispose();
  }
}

function channelSums(values: Float32Array, channels: number): Float32Array {
  const sums = new Float64Array(channels);
  values.forEach((value, i) => {
    sums[i % channels]! += value;
  });
  return Float32Array.from(sums);
}
