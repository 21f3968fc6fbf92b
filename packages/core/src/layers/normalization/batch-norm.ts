import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../../block/block.ts";
import { checkFlags, checkNumber, checkShare } from "../check-values.ts";
import { batchNormTraining } from "./batch-norm-kernel.ts";
import { onlyTensor, stockClass } from "../../tfjs/layer-class.ts";
import type { CallOptions, StockClass } from "../../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../../typed/shape-change.ts";

export interface BatchNormOptions {
  /** Added to the variance: 1e-3 by default, as in Keras; PyTorch's default is 1e-5. */
  readonly epsilon?: number | undefined;
  /** Share of the moving statistics that a step keeps: 0.99 by default, as in Keras. PyTorch's default, 0.1, is 0.9 here. */
  readonly momentum?: number | undefined;
  /** Learns a factor for each channel (gamma); true by default. */
  readonly scale?: boolean | undefined;
  /** Learns an offset for each channel (beta); true by default. */
  readonly center?: boolean | undefined;
}

const names: OptionNames<BatchNormOptions> = { epsilon: true, momentum: true, scale: true, center: true };

/**
 * Batch normalization: `[n, h, w, c] -> [n, h, w, c]`. The moving variance is the population's, as in Keras (PyTorch keeps the
 * sample variance). Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
export function batchNorm(options: BatchNormOptions = {}): ShapedBlock<Unchanged> {
  checkOptions("batchNorm", options, names);
  const { epsilon = 1e-3, momentum = 0.99, scale = true, center = true } = options;
  checkNumber("batchNorm", "epsilon", epsilon, 0);
  checkShare("batchNorm", "momentum", momentum);
  checkFlags("batchNorm", { scale, center });
  return layer((name) => new BatchNormalization({ name, epsilon, momentum, scale, center }), "batch_normalization");
}

type Args = NonNullable<Parameters<typeof tfl.layers.batchNormalization>[0]>;

interface Fields {
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: tfl.LayerVariable;
  readonly beta?: tfl.LayerVariable;
  readonly movingMean: tfl.LayerVariable;
  readonly movingVariance: tfl.LayerVariable;
  readonly axis: number;
}

const Stock: StockClass<Args, Fields> = stockClass(tfjs.batchNormalization({ name: "stock" }));

/**
 * Replaces tfjs-layers' layer with fused kernels and Keras' meaning of `trainable = false`: a frozen layer uses its
 * moving statistics, in training too. Masked steps of a sequence are no part of a batch's statistics. Saved files contain
 * the stock name.
 */
export class BatchNormalization extends Stock {
  static override className = "BatchNormalization";

  override call(inputs: tf.Tensor | tf.Tensor[], options: CallOptions): tf.Tensor | tf.Tensor[] {
    const x = onlyTensor(inputs);
    const mask = [options.mask].flat()[0];
    if (mask != null && options.training === true && this.trainable) return this.#ofKeptSteps(x, mask);
    const channelsLast = this.axis === -1 || this.axis === x.rank - 1;
    // The kernels take maps; other ranks are flattened.
    if (!channelsLast || x.rank > 4) return this.#overOtherAxis(x, options);
    if (options.training !== true || !this.trainable) {
      return super.call(inputs, { ...options, training: options.training === true && this.trainable });
    }
    return tf.tidy(() => {
      const channels = x.shape.at(-1) as number;
      const flat =
        x.rank === 4 ? (x as tf.Tensor4D) : (tf.reshape(x as tf.Tensor, [-1, 1, 1, channels]) as tf.Tensor4D);
      const gamma = (this.gamma?.read() ?? tf.ones([channels])) as tf.Tensor1D;
      const beta = (this.beta?.read() ?? tf.zeros([channels])) as tf.Tensor1D;
      const y = batchNormTraining(flat, gamma, beta, this.epsilon, (mean, variance) => {
        this.#move(this.movingMean, mean);
        this.#move(this.movingVariance, variance);
      });
      return x.rank === 4 ? y : tf.reshape(y, x.shape);
    });
  }

  /**
   * Moves the axis to the end and back: kernels only compute statistics of the last axis, and the wasm kernel ignores
   * other axes silently.
   */
  #overOtherAxis(x: tf.Tensor, options: CallOptions): tf.Tensor {
    return tf.tidy(() => {
      const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
      const order = [...x.shape.keys()].filter((other) => other !== axis);
      const back = x.shape.map((_, place) => (place === axis ? x.rank - 1 : place > axis ? place - 1 : place));
      const last = tf.transpose(x, [...order, axis]);
      const channels = last.shape.at(-1) as number;
      const flat = tf.reshape(last, [-1, 1, 1, channels]) as tf.Tensor4D;
      const gamma = (this.gamma?.read() ?? tf.ones([channels])) as tf.Tensor1D;
      const beta = (this.beta?.read() ?? tf.zeros([channels])) as tf.Tensor1D;
      const y =
        options.training === true && this.trainable
          ? batchNormTraining(flat, gamma, beta, this.epsilon, (mean, variance) => {
              this.#move(this.movingMean, mean);
              this.#move(this.movingVariance, variance);
            })
          : tf.batchNorm(
              flat,
              this.movingMean.read() as tf.Tensor1D,
              this.movingVariance.read() as tf.Tensor1D,
              beta,
              gamma,
              this.epsilon,
            );
      return tf.transpose(tf.reshape(y, last.shape), back);
    });
  }

  /** Training with the mean and variance of the steps that a mask, `[n, steps]`, keeps: Keras' arithmetic. */
  #ofKeptSteps(x: tf.Tensor, mask: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
      const others = [...x.shape.keys()].filter((other) => other !== axis);
      const sides = x.shape.map((size, place) => (place === axis ? size : 1));
      const kept = tf.mul(
        tf.reshape(tf.cast(mask, "float32"), [...mask.shape, ...x.shape.slice(mask.rank).map(() => 1)]),
        tf.onesLike(x),
      );
      const mean = (values: tf.Tensor): tf.Tensor =>
        tf.div(tf.sum(tf.mul(values, kept), others, true), tf.add(tf.sum(kept, others, true), 1e-7));
      const centre = mean(x);
      const centred = tf.sub(x, centre);
      const variance = mean(tf.square(centred));
      this.#move(this.movingMean, tf.reshape(centre, [-1]));
      this.#move(this.movingVariance, tf.reshape(variance, [-1]));
      let y: tf.Tensor = tf.mul(centred, tf.rsqrt(tf.add(variance, this.epsilon)));
      if (this.gamma != null) y = tf.mul(y, tf.reshape(this.gamma.read(), sides));
      return this.beta == null ? y : tf.add(y, tf.reshape(this.beta.read(), sides));
    });
  }

  #move(average: tfl.LayerVariable, value: tf.Tensor): void {
    const before = average.read();
    average.write(tf.add(before, tf.mul(tf.sub(value, before), 1 - this.momentum)));
  }
}
