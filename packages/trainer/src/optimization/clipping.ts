import { clipGradients, type Clipping } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { isMatched, type ParameterGroup } from "./parameter-groups.ts";

/** Limits of gradients in proportion to their weights (Brock et al. 2021, https://arxiv.org/abs/2102.06171). */
export interface AdaptiveClip {
  /** The largest norm of a unit's gradient, as a share of the norm of its weights; 0.01 by default. */
  readonly factor?: number | undefined;
  /** The least norm that weights count with; 0.001 by default. */
  readonly epsilon?: number | undefined;
  /** Weights that are not limited, by patterns of their paths: the paper leaves out the head. None by default. */
  readonly except?: string | readonly string[] | undefined;
}

/** All limits of gradients. */
export interface Limits extends Clipping {
  /** Limits in proportion to the weights; none by default. */
  readonly adaptiveClip?: AdaptiveClip | undefined;
}

/** Limits gradients, by the names of their variables; in this order: each value, each norm, all together, adaptively. */
export function limitGradients(
  gradients: tf.NamedTensorMap,
  { clipValue, clipNorm, globalClipNorm, adaptiveClip }: Limits,
  pathOf: (variable: string) => string,
): tf.NamedTensorMap {
  const names = Object.keys(gradients);
  const isLimited = (clipValue ?? clipNorm ?? globalClipNorm) !== undefined;
  const values = Object.values(gradients);
  const clipped = isLimited ? clipGradients(values, { clipValue, clipNorm, globalClipNorm }) : values;
  const variables = tf.engine().registeredVariables;
  const limited = clipped.map((gradient, index) => {
    const path = pathOf(names[index]!);
    if (adaptiveClip === undefined || isLeftOut(adaptiveClip.except, path, gradient.shape)) return gradient;
    return limitedByUnit(gradient, variables[names[index]!] as tf.Tensor, path, adaptiveClip);
  });
  return Object.fromEntries(limited.map((gradient, index) => [names[index]!, gradient]));
}

function isLeftOut(except: ParameterGroup["match"] | undefined, path: string, shape: readonly number[]): boolean {
  return except !== undefined && isMatched(except, path, shape);
}

/** Scales each unit's gradient down to a share of the norm of the unit's weights, as timm's `adaptive_clip_grad` does. */
function limitedByUnit(
  gradient: tf.Tensor,
  weight: tf.Tensor,
  path: string,
  { factor = 0.01, epsilon = 1e-3 }: AdaptiveClip,
): tf.Tensor {
  const axes = unitAxes(path, gradient.rank);
  const limit = tf.mul(tf.maximum(normOver(weight, axes), epsilon), factor);
  const norm = normOver(gradient, axes);
  const scaled = tf.mul(gradient, tf.div(limit, tf.maximum(norm, 1e-6)));
  return tf.where(tf.less(norm, limit), gradient, scaled);
}

/** The axes over which the weights of one output are summed; a filter of a depthwise convolution has two axes of outputs. */
function unitAxes(path: string, rank: number): number[] {
  const outputs = rank <= 1 ? 0 : rank === 4 && /\/depthwise_?kernel$/iu.test(path) ? 2 : 1;
  return Array.from({ length: rank - outputs }, (_, axis) => axis);
}

function normOver(x: tf.Tensor, axes: number[]): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(x), axes, true));
}
