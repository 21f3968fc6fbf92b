import { checkOptions } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { drawUniform } from "../init/draw-uniform.ts";
import { seedFor } from "../init/initializers.ts";
import { type CallOptions, onlyTensor } from "../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";
import { checkMap, checkNumber, checkWhole } from "./check-values.ts";
import { checkRate } from "./check-window.ts";

export interface DropBlockOptions {
  /** Height and width of a dropped block; 7 by default. */
  readonly size?: number | undefined;
  /** Factor of the rate at which blocks begin; 1 by default. */
  readonly scale?: number | undefined;
}

/**
 * In training, zeroes square blocks of each map, the same in all channels, about a share `rate` of it, and scales up the
 * rest: shape unchanged. Ghiasi et al. 2018, DropBlock, https://arxiv.org/abs/1810.12890; timm's arithmetic.
 */
export function dropBlock(rate: number, options: DropBlockOptions = {}): ShapedBlock<Unchanged> {
  checkRate("dropBlock", "a rate", rate);
  checkOptions("dropBlock", options, { size: true, scale: true });
  const { size = 7, scale = 1 } = options;
  checkWhole("dropBlock", "size", size, 1);
  checkNumber("dropBlock", "scale", scale);
  return layer((name, x) => {
    checkMap(name, x);
    return new DropBlock2D({ name, rate, size, scale });
  }, "drop_block");
}

interface DropBlockArgs {
  readonly name?: string;
  readonly rate: number;
  readonly size: number;
  readonly scale: number;
}

/** The layer of `dropBlock`; Keras has none, and its files hold Identity in its place. */
export class DropBlock2D extends tfjs.Layer {
  static className = "DropBlock2D";
  readonly rate: number;
  readonly size: number;
  readonly scale: number;
  #stream: tf.Variable | undefined;

  constructor({ rate, size, scale, ...base }: DropBlockArgs) {
    super(base);
    this.rate = rate;
    this.size = size;
    this.scale = scale;
  }

  /** The seed and the number of calls so far, `[2]`; undefined before the layer is built. */
  get stream(): tf.Variable | undefined {
    return this.#stream;
  }

  readonly ownSeed = undefined;

  override build(): void {
    this.#stream = tf.tidy(() => {
      const start = tf.tensor1d([seedFor(`${this.name}/drop_block`), 0], "int32");
      return tf.variable(start, false, undefined, "int32");
    });
    this.built = true;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], options: CallOptions): tf.Tensor | tf.Tensor[] {
    if (options.training !== true || this.rate === 0) return inputs;
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor4D;
      const [n, h, w] = x.shape;
      return dropBlocks(x, drawUniform(this.#stream!, [n, h, w, 1]) as tf.Tensor4D, this);
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), rate: this.rate, size: this.size, scale: this.scale };
  }

  override dispose(): ReturnType<tfl.layers.Layer["dispose"]> {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.#stream?.dispose();
    return result;
  }
}

/** timm's `drop_block_2d`: a block begins where `drawn` is below its rate, `[n, h, w, c], [n, h, w, 1] -> [n, h, w, c]`. */
export function dropBlocks(
  x: tf.Tensor4D,
  drawn: tf.Tensor4D,
  { rate, size, scale }: { readonly rate: number; readonly size: number; readonly scale: number },
): tf.Tensor4D {
  const [n, h, w] = x.shape;
  const [rows, columns] = [Math.min(size, h), Math.min(size, w)];
  const gamma = (scale * rate * h * w) / (rows * columns) / ((h - rows + 1) * (w - columns + 1));
  const seeds = tf.cast(tf.less(drawn, gamma), "float32") as tf.Tensor4D;
  const dropped = widened(widened(seeds, 1, rows), 2, columns);
  const kept = tf.sub<tf.Tensor4D>(1, dropped);
  return tf.mul(x, tf.mul(kept, tf.div(n * h * w, tf.add(tf.sum(kept), 1e-7))));
}

/** The maximum over windows of `size` places along an axis, centered; an even window has one place more behind. */
function widened(seeds: tf.Tensor4D, axis: 1 | 2, size: number): tf.Tensor4D {
  const pads: [number, number][] = [0, 1, 2, 3].map((each) =>
    each === axis ? [Math.floor((size - 1) / 2), Math.floor(size / 2)] : [0, 0],
  );
  const padded = tf.pad(seeds, pads);
  const from = (start: number) =>
    tf.slice(
      padded,
      [0, 1, 2, 3].map((each) => (each === axis ? start : 0)),
      seeds.shape,
    );
  return Array.from({ length: size }, (_, start) => from(start)).reduce((most, each) => tf.maximum(most, each));
}
