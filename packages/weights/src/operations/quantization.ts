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
  // Scale and zero point from the range of x, which includes 0: the quantized values, the scale and the zero point.
  dynamicquantize: [
    "x",
    (v) => {
      const x = v.tensor("x");
      const [low, high] = [tf.minimum(tf.min(x), 0), tf.maximum(tf.max(x), 0)];
      const scale = tf.div(tf.sub(high, low), 255);
      const own = tf.where(tf.equal(scale, 0), tf.onesLike(scale), scale);
      const zero = tf.clipByValue(rounded(tf.div(tf.neg(low), own)), 0, 255);
      return [tf.clipByValue(tf.add(rounded(tf.div(x, own)), zero), 0, 255), scale, zero];
    },
  ],
  // TensorFlow's fake_quant: the range is moved so that zero is one of its steps, in the precision of TensorFlow.
  fakequantize: [
    "x low high num_bits narrow_range",
    (v) => {
      const first = v.flag("narrow_range") ? 1 : 0;
      const last = 2 ** v.number("num_bits", 8) - 1;
      const [low, high] = [v.number("low", -6), v.number("high", 6)].map(Math.fround) as [number, number];
      const scale = Math.fround(Math.fround(high - low) / (last - first));
      const fromLow = Math.fround(first - Math.fround(low / scale));
      const zero = Math.floor(Math.min(Math.max(fromLow, first), last) + 0.5);
      const [least, most] = [(first - zero) * scale, (last - zero) * scale];
      const steps = floored(tf.add(tf.div(tf.sub(tf.clipByValue(v.tensor("x"), least, most), least), scale), 0.5));
      return tf.add(tf.mul(steps, scale), least);
    },
  ],
  dequantize: ["x scale zero_point", (v) => tf.mul(tf.sub(v.tensor("x"), v.tensor("zero_point")), v.tensor("scale"))],
};

const rounded = tf.customGrad((x) => ({
  value: tf.round(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => [dy],
}));

const floored = tf.customGrad((x) => ({
  value: tf.floor(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => [dy],
}));
