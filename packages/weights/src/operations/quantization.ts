import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";

/**
 * Quantized values are whole numbers in float32, as `round(x / scale) + zero_point` between two bounds. Rounding has no
 * gradient, so training passes the gradient through it unchanged (Bengio et al. 2013, https://arxiv.org/abs/1308.3432).
 */
export const quantization: Operations = {
  quantize: [
    "x scale zero_point low high",
    (v) => {
      const scaled = tf.div(v.tensor("x"), v.tensor("scale"));
      const moved = tf.add(rounded(scaled), v.tensor("zero_point"));
      return tf.clipByValue(moved, v.number("low", 0), v.number("high", 255));
    },
  ],
  dequantize: ["x scale zero_point", (v) => tf.mul(tf.sub(v.tensor("x"), v.tensor("zero_point")), v.tensor("scale"))],
};

const rounded = tf.customGrad((x) => ({
  value: tf.round(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => [dy],
}));
