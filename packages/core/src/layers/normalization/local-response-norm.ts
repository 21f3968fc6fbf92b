import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../../block/block.ts";
import { checkMap, checkNumber, checkWhole } from "../check-values.ts";
import { onlyTensor } from "../../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../../typed/shape-change.ts";

export interface LocalResponseNormOptions {
  /** Neighboring channels on each side: the window is 2 * radius + 1; 2 by default (TensorFlow's is 5). */
  readonly radius?: number | undefined;
  /** Added to the sum of squares before the power; 1 by default. */
  readonly bias?: number | undefined;
  /**
   * Factor of each square, as in TensorFlow: 1e-4 / 5 by default. Caffe and PyTorch divide their alpha by the window's
   * length.
   */
  readonly alpha?: number | undefined;
  /** Power of the divisor; 0.75 by default (TensorFlow's is 0.5). */
  readonly beta?: number | undefined;
}

const names: OptionNames<LocalResponseNormOptions> = { radius: true, bias: true, alpha: true, beta: true };

/**
 * `x / (bias + alpha * sum of squares of the neighboring channels) ^ beta`: shape unchanged; the defaults are AlexNet's
 * and GoogLeNet's. Krizhevsky et al. 2012, section 3.3, https://papers.nips.cc/paper/4824
 */
export function localResponseNorm(options: LocalResponseNormOptions = {}): ShapedBlock<Unchanged> {
  checkOptions("localResponseNorm", options, names);
  const { radius = 2, bias = 1, alpha = 1e-4 / 5, beta = 0.75 } = options;
  checkWhole("localResponseNorm", "radius", radius, 0);
  for (const [what, value] of Object.entries({ bias, alpha, beta })) checkNumber("localResponseNorm", what, value);
  return layer((name, x) => {
    checkMap(name, x);
    return new LocalResponseNormalization({ name, radius, bias, alpha, beta });
  }, "local_response_normalization");
}

interface Settings {
  readonly radius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** TensorFlow's op `LRN` as a layer. */
export class LocalResponseNormalization extends tfjs.Layer {
  static className = "LocalResponseNormalization";
  readonly #args: Settings;

  constructor({ radius, bias, alpha, beta, ...base }: Settings & { readonly name?: string }) {
    super(base);
    this.#args = { radius, bias, alpha, beta };
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { radius, bias, alpha, beta } = this.#args;
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor4D;
      const kernel = tf.getKernel("LRN", tf.getBackend());
      const gradient = tf.getKernel("LRNGrad", tf.getBackend());
      if (kernel !== undefined && gradient !== undefined)
        return tf.localResponseNormalization(x, radius, bias, alpha, beta);
      return composedLocalResponseNorm(x, radius, bias, alpha, beta);
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), ...this.#args };
  }
}

/**
 * `localResponseNorm` from ordinary ops, for engines without the kernel: the window's sum is a product with a band
 * matrix.
 */
export function composedLocalResponseNorm(
  x: tf.Tensor4D,
  radius: number,
  bias: number,
  alpha: number,
  beta: number,
): tf.Tensor4D {
  const channels = x.shape[3];
  const band = Array.from({ length: channels }, (_, row) =>
    Array.from({ length: channels }, (_, column) => (Math.abs(row - column) <= radius ? alpha : 0)),
  );
  const squares = tf.reshape(tf.square(x), [-1, channels]) as tf.Tensor2D;
  const sums = tf.reshape(tf.matMul(squares, tf.tensor2d(band)), x.shape);
  return tf.mul(x, tf.pow(tf.add(sums, bias), -beta));
}
