import * as tf from "@tensorflow/tfjs-core";

/** How gradients are limited before an update; several limits apply in this order. */
export interface Clipping {
  /** Each element to [-clipValue, clipValue]. */
  readonly clipValue?: number | undefined;
  /** Each variable's gradient to this Euclidean norm. */
  readonly clipNorm?: number | undefined;
  /** All gradients together to this Euclidean norm (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063). */
  readonly globalClipNorm?: number | undefined;
}

/** The limits that are set, as an optimizer's configuration states them. */
export function limitsOf(clipping: Clipping): Record<string, number> {
  const entries = Object.entries(clipping) as [string, number | undefined][];
  return Object.fromEntries(entries.flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit]])));
}

/** Limits gradients, in or outside of a compiled function; the caller disposes what comes back. */
export function clipGradients(
  gradients: readonly tf.Tensor[],
  { clipValue, clipNorm, globalClipNorm }: Clipping,
): tf.Tensor[] {
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

/** `x` scaled so that a norm over the limit becomes the limit. */
function scaleTo(x: tf.Tensor, norm: tf.Tensor, limit: number): tf.Tensor {
  return tf.mul(x, tf.div(limit, tf.maximum(norm, limit)));
}
