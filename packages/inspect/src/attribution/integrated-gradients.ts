import { checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { imageBatch } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { explainedClass } from "../network/target.ts";
import type { TargetOptions } from "../network/target.ts";
import { gaussLegendre } from "./gauss-legendre.ts";
import { attribution, gradientOf } from "./gradients.ts";
import type { Attribution } from "./gradients.ts";

export interface IntegratedGradientsOptions extends TargetOptions {
  /** The image that stands for nothing, preprocessed like the other; zeros by default. */
  readonly baseline?: Images | undefined;
  /** Points of the path from the baseline to the image, by Gauss and Legendre's rule; 50 by default. */
  readonly steps?: number | undefined;
  /** Points that go through the network at once; 10 by default. */
  readonly batch?: number | undefined;
}

const names: OptionNames<IntegratedGradientsOptions> = {
  class: true,
  output: true,
  baseline: true,
  steps: true,
  batch: true,
};

/** An attribution whose values add up to the difference of two scores. */
export interface IntegratedGradients extends Attribution {
  /** The class' score for the baseline. */
  readonly baselineScore: number;
  /** The sum of the values less `score - baselineScore`; more steps bring it nearer to 0. */
  readonly gap: number;
}

/**
 * Integrated gradients: the mean gradient of a class' logit along the path from a baseline to the image, times their
 * difference. Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365
 *
 * Throws an `OptionError` for an image or baseline that does not fit, and an unknown class.
 */
export async function integratedGradients(
  model: tfl.LayersModel,
  image: Images,
  options?: IntegratedGradientsOptions,
): Promise<IntegratedGradients> {
  const where = "integratedGradients";
  checkOptions(where, options, names);
  const { baseline, steps = 50, batch = 10, ...wanted } = options ?? {};
  checkWhole(where, "steps", steps, 1);
  checkWhole(where, "batch", batch, 1);
  let baselineScore = 0;
  const result = await attribution(where, model, image, wanted, async (target, explained, x) => {
    const from = baseline === undefined ? tf.zerosLike(x) : imageBatch(`${where}, baseline`, model, baseline);
    if (!tf.util.arraysEqual(from.shape, x.shape)) {
      throw new OptionError(
        `${where}: expected a baseline ${shown(x.shape.slice(1))}, got ${shown(from.shape.slice(1))}.`,
      );
    }
    ({ score: baselineScore } = await explainedClass(where, target, from, explained.class));
    const points = gaussLegendre(steps);
    let sum: tf.Tensor = tf.zerosLike(x);
    for (let start = 0; start < steps; start += batch) {
      const some = points.slice(start, start + batch);
      const before = sum;
      sum = tf.tidy(() => {
        const along = (values: number[]): tf.Tensor => tf.tensor4d(values, [some.length, 1, 1, 1]);
        const images = tf.add(from, tf.mul(tf.sub(x, from), along(some.map(({ node }) => node))));
        const gradients = tf.mul(gradientOf(target, explained, images), along(some.map(({ weight }) => weight)));
        return tf.add(before, tf.sum(gradients, 0, true));
      });
      before.dispose();
    }
    const values = tf.tidy(() => tf.mul(sum, tf.sub(x, from)));
    tf.dispose([sum, from]);
    return values;
  });
  const total = result.values.reduce((a, b) => a + b, 0);
  return { ...result, baselineScore, gap: total - (result.score - baselineScore) };
}
