import * as tf from "@tensorflow/tfjs-core";
import { draw, dropoutOf } from "./trace/random-nodes.ts";
import type { Distribution } from "./trace/random-nodes.ts";
import { activeTrace } from "./trace/active-trace.ts";

/** How numbers are drawn. */
export interface DrawOptions {
  /** Distinguishes this draw from others; in a compiled function it is combined with the function's own seed. */
  readonly seed?: number | undefined;
}

function drawn(distribution: Distribution, shape: readonly number[], { seed }: DrawOptions): tf.Tensor {
  const trace = activeTrace();
  if (trace !== undefined) return draw(trace, distribution, shape, seed);
  const dims = [...shape];
  if (distribution === "Uniform") return tf.randomUniform(dims, 0, 1, "float32", seed);
  if (distribution === "Normal") return tf.randomNormal(dims, 0, 1, "float32", seed);
  return tf.truncatedNormal(dims, 0, 1, "float32", seed);
}

/**
 * Random numbers for losses, layers and augmentation. A compiled function draws them in the graph, anew at every run;
 * elsewhere tfjs draws them. tfjs' own functions draw in JavaScript and would become constants of a compiled function.
 */
export const random = {
  /** Uniform in [min, max). */
  uniform(
    shape: readonly number[],
    {
      min = 0,
      max = 1,
      ...options
    }: DrawOptions & { readonly min?: number | undefined; readonly max?: number | undefined } = {},
  ): tf.Tensor {
    return tf.tidy(() => {
      const unit = drawn("Uniform", shape, options);
      return min === 0 && max === 1 ? unit : tf.add(tf.mul(unit, max - min), min);
    });
  },

  /** Normal of the given mean and standard deviation. */
  normal(shape: readonly number[], { mean = 0, deviation = 1, ...options }: NormalOptions = {}): tf.Tensor {
    return tf.tidy(() => tf.add(tf.mul(drawn("Normal", shape, options), deviation), mean));
  },

  /** Normal, with values more than two deviations from the mean redrawn. */
  truncatedNormal(shape: readonly number[], { mean = 0, deviation = 1, ...options }: NormalOptions = {}): tf.Tensor {
    return tf.tidy(() => tf.add(tf.mul(drawn("TruncatedNormal", shape, options), deviation), mean));
  },

  /** True with the given probability. */
  bernoulli(shape: readonly number[], probability: number, options: DrawOptions = {}): tf.Tensor {
    return tf.tidy(() => tf.less(drawn("Uniform", shape, options), probability));
  },

  /** `x` with elements zeroed at the given rate and the others scaled up (Srivastava et al. 2014). */
  dropout(x: tf.Tensor, rate: number, options: DrawOptions = {}): tf.Tensor {
    const trace = activeTrace();
    return trace === undefined
      ? tf.dropout(x, rate, undefined, options.seed)
      : dropoutOf(trace, x, rate, undefined, options.seed);
  },
} as const;

interface NormalOptions extends DrawOptions {
  readonly mean?: number | undefined;
  readonly deviation?: number | undefined;
}
