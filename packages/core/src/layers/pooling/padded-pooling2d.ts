import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { outputShape } from "../../arithmetic/output-size.ts";
import type { Window } from "../../arithmetic/output-size.ts";
import type { Pads } from "../../arithmetic/padding.ts";
import { onlyShape, onlyTensor } from "../../tfjs/layer-class.ts";

interface Args {
  name?: string;
  mode: "max" | "average";
  poolSize: [number, number];
  strides: [number, number];
  padding: Pads;
  ceilMode?: boolean;
  countIncludePad?: boolean;
}

/** Smaller than every activation, but finite, since infinity times zero is NaN. */
const LOWEST = -3.4028234663852886e38;

/**
 * Pooling as in PyTorch and Caffe, which TensorFlow does not support: padding on both sides (which never wins a
 * maximum), sizes rounded up, and means with or without the padding. `[n, h, w, c] -> [n, h / stride, w / stride, c]`
 */
export class PaddedPooling2D extends tfjs.Layer {
  static className = "PaddedPooling2D";
  readonly #args: Required<Omit<Args, "name">>;

  constructor({ mode, poolSize, strides, padding, ceilMode = false, countIncludePad = true, ...base }: Args) {
    super(base);
    this.#args = { mode, poolSize, strides, padding, ceilMode, countIncludePad };
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = onlyShape(shape) as [null, number | null, number | null, number];
    return [batch, ...outputShape([height, width], this.#window()), channels];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor4D;
      const { mode, poolSize, strides, padding, countIncludePad } = this.#args;
      const size = [x.shape[1], x.shape[2]] as const;
      const out = outputShape(size, this.#window()) as [number, number];
      // The pixels that the last window needs beyond the padding if sizes are rounded up (negative if rounded down).
      const reach = ([0, 1] as const).map((axis) => (out[axis] - 1) * strides[axis] + poolSize[axis]) as [
        number,
        number,
      ];
      const after = ([0, 1] as const).map((axis) =>
        Math.max(padding[axis][1], reach[axis] - size[axis] - padding[axis][0]),
      );
      const padded = tf.pad(
        x,
        [
          [0, 0],
          [padding[0][0], after[0] as number],
          [padding[1][0], after[1] as number],
          [0, 0],
        ],
        mode === "max" ? LOWEST : 0,
      ) as tf.Tensor4D;
      if (mode === "max") return tf.maxPool(padded, poolSize, strides, "valid");
      const mean = tf.avgPool(padded, poolSize, strides, "valid");
      const counts = ([0, 1] as const).map((axis) =>
        windowCounts(out[axis], size[axis], poolSize[axis], strides[axis], padding[axis], countIncludePad),
      ) as [number[], number[]];
      const area = poolSize[0] * poolSize[1];
      if (counts.flat().every((count, i) => count === poolSize[i < out[0] ? 0 : 1])) return mean;
      const factors = counts[0].map((rows) => counts[1].map((columns) => area / (rows * columns)));
      return tf.mul(mean, tf.reshape(tf.tensor2d(factors), [1, out[0], out[1], 1]));
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    const { padding, ...args } = this.#args;
    return { ...super.getConfig(), ...args, padding: padding.map((side) => [...side]) };
  }

  #window(): Window {
    const { poolSize, strides, padding, ceilMode } = this.#args;
    return { kernel: poolSize, stride: strides, padding, ceil: ceilMode };
  }
}

/** The number of pixels in each window's mean along one axis. */
function windowCounts(
  out: number,
  size: number,
  kernel: number,
  stride: number,
  [before, after]: readonly [number, number],
  countPadding: boolean,
): number[] {
  const [low, high] = countPadding ? [-before, size + after] : [0, size];
  return Array.from({ length: out }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + kernel, high) - Math.max(start, low);
  });
}
