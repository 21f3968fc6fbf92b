import { checkOptions } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { Block } from "../block/names.ts";
import { ofKind } from "../block/names.ts";
import { placesPaths } from "../block/random-depth.ts";
import { checkFlags } from "./check-values.ts";
import { checkRate } from "./check-window.ts";
import { drawUniform } from "../init/draw-uniform.ts";
import { seedFor } from "../init/initializers.ts";
import { onlyTensor, stockClass } from "../tfjs/layer-class.ts";
import type { CallOptions, StockClass } from "../tfjs/layer-class.ts";
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
  if (options.perSample !== true)
    return layer((name) => new Dropout({ name, rate, seed: seedFor(`${name}/dropout`) }), "dropout");
  const made = droppedSamples(rate);
  // A network that is built with `dropPath` has its stochastic depth before its sums.
  return ofKind("dropout", (x, name) => (placesPaths() ? x : made(x, name)));
}

/** Zeroes whole images in training: stochastic depth. */
export function droppedSamples(rate: number): Block {
  return layer((name, x) => {
    const noiseShape = [null, ...x.shape.slice(1).map(() => 1)] as number[];
    return new Dropout({ name, rate, seed: seedFor(`${name}/dropout`), noiseShape });
  }, "dropout");
}

type Args = Parameters<typeof tfl.layers.dropout>[0];

interface Fields {
  readonly rate: number;
  readonly seed?: number | null;
  getNoiseShape(x: tf.Tensor): number[] | undefined;
}

const Stock: StockClass<Args, Fields> = stockClass(tfjs.dropout({ name: "stock", rate: 0 }));

/**
 * Replaces tfjs-layers' Dropout, with the random numbers of `drawUniform`.
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
      const noise = drawUniform(this.#stream!, (this.getNoiseShape(x) ?? x.shape) as number[]);
      return tf.mul(x, tf.div(tf.floor(tf.add(noise, kept)), kept));
    });
  }

  override dispose(): ReturnType<tfl.layers.Layer["dispose"]> {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.#stream?.dispose();
    return result;
  }
}
