import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { Block } from "../block/block.ts";
import { seedFor } from "../init/initializers.ts";
import { uniformValues } from "../init/random.ts";
import { onlyTensor, stockClass } from "../tfjs/layer-class.ts";
import type { CallOptions } from "../tfjs/layer-class.ts";
import { opAttributes, tensorFlowBackend } from "../tfjs/tensorflow-backend.ts";

/**
 * Zeroes a part of its input in training and scales up the rest: shape unchanged. With `perSample` all of a sample or
 * nothing goes (stochastic depth, Huang et al. 2016, https://arxiv.org/abs/1603.09382).
 * Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropout(rate: number, { perSample = false }: { perSample?: boolean } = {}): Block {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: expected a rate from 0 to below 1, got ${rate}`);
  return layer((name, x) => {
    const noiseShape = perSample ? { noiseShape: [null, ...x.shape.slice(1).map(() => 1)] as number[] } : {};
    return new Dropout({ name, rate, seed: seedFor(`${name}/dropout`), ...noiseShape });
  });
}

type Args = Parameters<typeof tfl.layers.dropout>[0];

interface Fields {
  readonly rate: number;
  readonly seed?: number;
  getNoiseShape(x: tf.Tensor): number[] | undefined;
}

const Stock = stockClass<Args, Fields>(tfl.layers.dropout({ name: "stock", rate: 0 }));

/**
 * tfjs-layers' layer, drawn by TensorFlow instead of JavaScript where that runs. The stream is `(seed, call)`, with the call
 * counted in a variable, so that a step recorded as a graph draws anew at every run.
 */
export class Dropout extends Stock {
  static override className = "Dropout";
  #stream: tf.Variable | undefined;
  #calls = 0;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    super.build(inputShape);
    this.#stream = tf.tidy(() => tf.variable(tf.tensor1d([this.seed ?? 0, 0], "int32"), false, undefined, "int32"));
  }

  override call(inputs: tf.Tensor | tf.Tensor[], options: CallOptions): tf.Tensor | tf.Tensor[] {
    if (options.training !== true || this.rate === 0) return inputs;
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const kept = 1 - this.rate;
      const noise = this.#uniform((this.getNoiseShape(x) ?? x.shape) as number[]);
      return tf.mul(x, tf.div(tf.floor(tf.add(noise, kept)), kept));
    });
  }

  override dispose(): ReturnType<tfl.layers.Layer["dispose"]> {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.#stream?.dispose();
    return result;
  }

  #uniform(shape: number[]): tf.Tensor {
    const stream = this.#stream as tf.Variable;
    const backend = tensorFlowBackend();
    if (backend === undefined) {
      const length = shape.reduce((product, size) => product * size, 1);
      this.#calls += 1;
      return tf.tensor(uniformValues(length, 0, 1, (this.seed ?? 0) + Math.imul(this.#calls, 0x9e3779b9)), shape);
    }
    stream.assign(tf.add(stream, tf.tensor1d([0, 1], "int32")));
    const { TF_FLOAT, TF_INT32 } = backend.binding;
    const attributes = opAttributes(backend, { TYPE: { dtype: TF_FLOAT, T: TF_INT32, Tseed: TF_INT32 } });
    return backend.executeSingleOutput("StatelessRandomUniform", attributes, [tf.tensor1d(shape, "int32"), stream]);
  }
}
