import { checkOptions, type OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";

/** Limits of gradients before an update; if several are set, they apply in this order. */
export interface Clipping {
  /** Clips each element to [-clipValue, clipValue]; no limit by default. */
  readonly clipValue?: number | undefined;
  /** Scales each variable's gradient down to at most this Euclidean norm; no limit by default. */
  readonly clipNorm?: number | undefined;
  /**
   * Scales all gradients together down to at most this Euclidean norm (Pascanu et al. 2013,
   * https://arxiv.org/abs/1211.5063); no limit by default.
   */
  readonly globalClipNorm?: number | undefined;
}

export const clippingNames: OptionNames<Clipping> = { clipValue: true, clipNorm: true, globalClipNorm: true };

/** The limits that are set, for an optimizer's `getConfig`. */
export function limitsOf(clipping: Clipping): Record<string, number> {
  const { clipValue, clipNorm, globalClipNorm } = clipping;
  const entries = Object.entries({ clipValue, clipNorm, globalClipNorm });
  return Object.fromEntries(entries.flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit]])));
}

/** Limits gradients, inside or outside of a compiled function. The caller disposes the returned tensors. */
export function clipGradients(gradients: readonly tf.Tensor[], clipping: Clipping): tf.Tensor[] {
  checkOptions("clipGradients", clipping, clippingNames, (message) => new GraphError(message));
  const { clipValue, clipNorm, globalClipNorm } = clipping;
  return tf.tidy(() => {
    let clipped = gradients.map((gradient) => tf.clone(gradient));
    if (clipValue !== undefined) clipped = clipped.map((g) => tf.clipByValue(g, -clipValue, clipValue));
    if (clipNorm !== undefined) clipped = clipped.map((g) => scaleTo(g, tf.sqrt(squareSum(g)), clipNorm));
    if (globalClipNorm !== undefined && clipped.length > 0) {
      const norm = tf.sqrt(tf.addN(clipped.map(squareSum)));
      clipped = clipped.map((g) => scaleTo(g, norm, globalClipNorm));
    }
    return clipped;
  });
}

function squareSum(x: tf.Tensor): tf.Tensor {
  return tf.sum(tf.square(x));
}

/** Scales `x` so that a norm above `limit` becomes `limit`. */
function scaleTo(x: tf.Tensor, norm: tf.Tensor, limit: number): tf.Tensor {
  return tf.mul(x, tf.div(limit, tf.maximum(norm, limit)));
}
