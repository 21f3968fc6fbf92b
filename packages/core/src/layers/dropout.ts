import { checkOptions } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { checkFlags } from "./check-values.ts";
import { checkRate } from "./check-window.ts";
import { seedFor } from "../init/initializers.ts";
import { uniformValues } from "../init/random.ts";
import { onlyTensor, stockClass } from "../tfjs/layer-class.ts";
import type { CallOptions, StockClass } from "../tfjs/layer-class.ts";
import { opAttributes, tensorFlowBackend } from "../tfjs/tensorflow-backend.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";

export interface DropoutOptions {
  /**
   * Zeroes whole images instead of single numbers: stochastic depth, Huang et al. 2016, https://arxiv.org/abs/1603.09382.
   * False by default.
   */
  readonly perSample?: boolean | undefined;
}

/**
 * In training, zeroes a share `rate` of its input and scales up the rest: shape unchanged.
 * Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropout(rate: number, options: DropoutOptions = {}): ShapedBlock<Unchanged> {
  checkRate("dropout", "a rate", rate);
  checkOptions("dropout", options, { perSample: true });
  checkFlags("dropout", { perSample: options.perSample });
  return layer((name, x) => {
    const noiseShape =
      options.perSample === true ? { noiseShape: [null, ...x.shape.slice(1).map(() => 1)] as number[] } : {};
    return new Dropout({ name, rate, seed: seedFor(`${name}/dropout`), ...noiseShape });
  }, "dropout");
}

type Args = Parameters<typeof tfl.layers.dropout>[0];

interface Fields {
  readonly rate: number;
  readonly seed?: number | null;
  getNoiseShape(x: tf.Tensor): number[] | undefined;
}

const Stock: StockClass<Args, Fields> = stockClass(tfl.layers.dropout({ name: "stock", rate: 0 }));

/**
 * Replaces tfjs-layers' Dropout. On TensorFlow, the random numbers are drawn by TensorFlow. They depend on the seed and
 * the number of the call, which a variable counts. So a step compiled to a graph draws new numbers at every run.
 */
export class Dropout extends Stock {
  static override className = "Dropout";
  #stream: tf.Variable | undefined;

  /**
   * The seed and the number of calls so far, `[2]`; undefined before the layer is built. Resuming a training requires
   * it.
   */
  get stream(): tf.Variable | undefined {
    return this.#stream;
  }

  /** The seed that the layer was made with. */
  get ownSeed(): number | undefined {
    return this.seed ?? undefined;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    super.build(inputShape);
    // With a common seed, layers of one shape would drop the same numbers.
    const seed = this.ownSeed ?? seedFor(`${this.name}/dropout`);
    this.#stream = tf.tidy(() => tf.variable(tf.tensor1d([seed, 0], "int32"), false, undefined, "int32"));
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
      const [seed = 0, before = 0] = stream.dataSync<"int32">();
      stream.assign(tf.tensor1d([seed, before + 1], "int32"));
      return tf.tensor(uniformValues(length, 0, 1, seed + Math.imul(before + 1, 0x9e3779b9)), shape);
    }
    stream.assign(tf.add(stream, tf.tensor1d([0, 1], "int32")));
    const { TF_FLOAT, TF_INT32 } = backend.binding;
    const attributes = opAttributes(backend, { TYPE: { dtype: TF_FLOAT, T: TF_INT32, Tseed: TF_INT32 } });
    return backend.executeSingleOutput("StatelessRandomUniform", attributes, [tf.tensor1d(shape, "int32"), stream]);
  }
}
