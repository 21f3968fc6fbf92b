import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape, onlyTensor, stockClass } from "../../tfjs/layer-class.ts";

type Args = Parameters<typeof tfl.layers.globalAveragePooling2d>[0] & { keepdims?: boolean };

const Stock = stockClass<Args>(tfjs.globalAveragePooling2d({ name: "stock", dataFormat: "channelsLast" }));

/** tfjs-layers' layer with Keras' `keepdims`: `[n, h, w, c] -> [n, c]` or `[n, 1, 1, c]`. */
export class GlobalAveragePooling2D extends Stock {
  static override className = "GlobalAveragePooling2D";
  readonly keepdims: boolean;

  constructor(args: Args) {
    super(args);
    this.keepdims = args.keepdims ?? false;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const full = onlyShape(shape);
    return this.keepdims ? [full[0] ?? null, 1, 1, full[3] ?? null] : [full[0] ?? null, full[3] ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mean(onlyTensor(inputs), [1, 2], this.keepdims));
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), keepdims: this.keepdims };
  }
}
