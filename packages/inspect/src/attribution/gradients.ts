import { checkNumber, checkWhole } from "@convkit/core/internal";
import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { oneImage } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { explainedClass, targetOf } from "../network/target.ts";
import type { Explained, Target, TargetOptions } from "../network/target.ts";
import { gradCam } from "./class-activation.ts";
import type { ClassActivationOptions } from "./class-activation.ts";

/** What each value of an image contributes to a class' score. */
export interface Attribution extends Explained {
  readonly shape: readonly [height: number, width: number, channels: number];
  /** `[h, w, c]`; negative where a larger value lowers the score. */
  readonly values: Float32Array;
}

export interface SaliencyOptions extends TargetOptions {
  /** Noisy copies of the image that SmoothGrad averages over; 1 by default, the image itself. */
  readonly samples?: number | undefined;
  /** Deviation of the noise as a share of the image's range; 0.15 by default. */
  readonly noise?: number | undefined;
  /** Seed of the noise; 1 by default. */
  readonly seed?: number | undefined;
}

const targetNames: OptionNames<TargetOptions> = { class: true, output: true };
const saliencyNames: OptionNames<SaliencyOptions> = { ...targetNames, samples: true, noise: true, seed: true };

/**
 * The gradient of a class' logit by the image; with `samples` its mean over noisy copies (SmoothGrad). Simonyan et al. 2013,
 * https://arxiv.org/abs/1312.6034; Smilkov et al. 2017, https://arxiv.org/abs/1706.03825
 *
 * Throws an `OptionError` for an image that does not fit and an unknown class.
 */
export async function saliency(model: tfl.LayersModel, image: Images, options?: SaliencyOptions): Promise<Attribution> {
  const where = "saliency";
  checkOptions(where, options, saliencyNames);
  const { samples = 1, noise = 0.15, seed = 1, ...wanted } = options ?? {};
  checkWhole(where, "samples", samples, 1);
  checkWhole(where, "seed", seed, 0);
  checkNumber(where, "noise", noise, 0);
  return attribution(where, model, image, wanted, async (target, explained, x) => {
    if (samples === 1) return tf.tidy(() => gradientOf(target, explained, x));
    const pixels = (await x.data()) as Float32Array;
    const range = pixels.reduce((a, b) => Math.max(a, b)) - pixels.reduce((a, b) => Math.min(a, b));
    let sum: tf.Tensor = tf.zerosLike(x);
    for (let sample = 0; sample < samples; sample++) {
      const before = sum;
      sum = tf.tidy(() => {
        const noisy = tf.add(x, tf.randomNormal(x.shape, 0, noise * range, "float32", seed + sample));
        return tf.add(before, tf.div(gradientOf(target, explained, noisy), samples));
      });
      before.dispose();
    }
    return sum;
  });
}

/**
 * Guided backpropagation: the gradient of a class' logit by the image, where each ReLU also stops negative gradients.
 * Springenberg et al. 2014, https://arxiv.org/abs/1412.6806
 *
 * Throws as `saliency` does.
 */
export function guidedBackprop(model: tfl.LayersModel, image: Images, options?: TargetOptions): Promise<Attribution> {
  checkOptions("guidedBackprop", options, targetNames);
  return attribution("guidedBackprop", model, image, options, async (target, explained, x) =>
    withGuidedRelu(() => tf.tidy(() => gradientOf(target, explained, x))),
  );
}

/**
 * Guided Grad-CAM: guided backpropagation times the Grad-CAM map, which is fine and shows one class only.
 *
 * Throws as `gradCam` does.
 */
export async function guidedGradCam(
  model: tfl.LayersModel,
  image: Images,
  options?: ClassActivationOptions,
): Promise<Attribution & { readonly layer: string }> {
  checkOptions("guidedGradCam", options, { ...targetNames, layer: true });
  const { layer: _layer, ...wanted } = options ?? {};
  const cam = await gradCam(model, image, options);
  const guided = await guidedBackprop(model, image, { ...wanted, class: cam.class });
  const [, , channels] = guided.shape;
  const values = guided.values.map((value, i) => value * (cam.values[Math.floor(i / channels)] as number));
  return { ...guided, layer: cam.layer, values };
}

/** The gradient of the class' score by the images. */
export function gradientOf(target: Target, explained: Explained, images: tf.Tensor): tf.Tensor {
  return tf.grad((x) => target.sum(explained, x))(images);
}

/** The attribution of one image from a tensor of its shape, which is disposed. */
export async function attribution(
  where: string,
  model: tfl.LayersModel,
  image: Images,
  options: TargetOptions | undefined,
  valuesOf: (target: Target, explained: Explained, x: tf.Tensor4D) => Promise<tf.Tensor>,
): Promise<Attribution> {
  const target = targetOf(where, model, options?.output);
  const x = oneImage(where, model, image);
  try {
    const explained = await explainedClass(where, target, x, options?.class);
    const made = await valuesOf(target, explained, x);
    const values = (await made.data()) as Float32Array;
    made.dispose();
    return { ...explained, shape: x.shape.slice(1) as [number, number, number], values };
  } finally {
    x.dispose();
  }
}

/** Runs `compute` with gradients of ReLU and ReLU6 that let only positive gradients through. */
function withGuidedRelu<Result>(compute: () => Result): Result {
  const kinds = ["Relu", "Relu6"].flatMap((kernel) => tf.getGradient(kernel) ?? []);
  const plain = kinds.map(({ gradFunc }) => gradFunc);
  try {
    kinds.forEach((kind, i) => {
      kind.gradFunc = (dy, ...rest) => (plain[i] as tf.GradFunc)(tf.relu(dy as tf.Tensor), ...rest);
    });
    return compute();
  } finally {
    kinds.forEach((kind, i) => {
      kind.gradFunc = plain[i] as tf.GradFunc;
    });
  }
}
