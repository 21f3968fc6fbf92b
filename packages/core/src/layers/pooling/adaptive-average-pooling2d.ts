import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape, onlyTensor } from "../../tfjs/layer-class.ts";

/**
 * Part `i` of `size` along an axis of length `n` is the mean of pixels floor(i n / size) to ceil((i + 1) n / size), as in
 * PyTorch; parts overlap, or repeat pixels of a smaller input. `[n, h, w, c] -> [n, outputSize, c]`
 */
export class AdaptiveAveragePooling2D extends tfjs.Layer {
  static className = "AdaptiveAveragePooling2D";
  readonly outputSize: readonly [number, number];

  constructor({ outputSize, ...base }: { name?: string; outputSize: [number, number] }) {
    super(base);
    this.outputSize = outputSize;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const full = onlyShape(shape);
    return [full[0] ?? null, ...this.outputSize, full[3] ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor4D;
      const [height, width] = [x.shape[1], x.shape[2]];
      const [rows, columns] = this.outputSize;
      if (height === rows && width === columns) return tf.clone(x);
      if (height % rows === 0 && width % columns === 0) {
        const size: [number, number] = [height / rows, width / columns];
        return tf.avgPool(x, size, size, "valid");
      }
      return meansAlong(meansAlong(x, 1, rows), 2, columns);
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), outputSize: [...this.outputSize] };
  }
}

function meansAlong(x: tf.Tensor, axis: 1 | 2, parts: number): tf.Tensor {
  const length = x.shape[axis] as number;
  if (length === parts) return x;
  const means = Array.from({ length: parts }, (_, i) => {
    const start = Math.floor((i * length) / parts);
    const begin = axis === 1 ? [0, start, 0, 0] : [0, 0, start, 0];
    const size = [-1, -1, -1, -1];
    size[axis] = Math.ceil(((i + 1) * length) / parts) - start;
    return tf.mean(tf.slice(x, begin, size), axis, true);
  });
  return means.length === 1 ? (means[0] as tf.Tensor) : tf.concat(means, axis);
}
