import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import { channelsLast } from "./values.ts";

const hue = (channels: readonly tf.Tensor[]): tf.Tensor => {
  const [red, green, blue] = channels as [tf.Tensor, tf.Tensor, tf.Tensor];
  const value = tf.maximum(tf.maximum(red, green), blue);
  const range = tf.sub(value, tf.minimum(tf.minimum(red, green), blue));
  const part = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.div(tf.divNoNan(tf.sub(a, b), range), 6);
  const ofGreen = tf.add(part(blue, red), 2 / 6);
  const ofBlue = tf.add(part(red, green), 4 / 6);
  const raw = tf.where(tf.equal(red, value), part(green, blue), tf.where(tf.equal(green, value), ofGreen, ofBlue));
  const turned = tf.where(tf.less(raw, 0), tf.add(raw, 1), raw);
  return tf.where(tf.greater(range, 0), turned, tf.zerosLike(turned));
};

/** Functions of an image's colors and sharpness, `[n, h, w, c] -> [n, h, w, c]`, as TensorFlow computes them. */
export const colors: Operations = {
  // Source: tensorflow/core/kernels/image/colorspace_op.h
  rgbtohsv: [
    "images data_format",
    (v) => {
      channelsLast(v);
      const x = v.tensor("images");
      const channels = tf.split(x, 3, x.rank - 1);
      const value = tf.max(x, -1, true);
      const range = tf.sub(value, tf.min(x, -1, true));
      return tf.concat([hue(channels), tf.divNoNan(range, value), value], x.rank - 1);
    },
  ],
  hsvtorgb: [
    "images data_format",
    (v) => {
      channelsLast(v);
      const x = v.tensor("images");
      const [hues, saturation, value] = tf.split(x, 3, x.rank - 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const sixths = tf.mul(hues, 6);
      const all = [
        tf.sub(tf.abs(tf.sub(sixths, 3)), 1),
        tf.sub(2, tf.abs(tf.sub(sixths, 2))),
        tf.sub(2, tf.abs(tf.sub(sixths, 4))),
      ].map((channel) =>
        tf.mul(tf.add(tf.sub(1, saturation), tf.mul(saturation, tf.clipByValue(channel, 0, 1))), value),
      );
      return tf.concat(all, x.rank - 1);
    },
  ],
  rgbtoyuv: [
    "images",
    (v) => {
      const kernel = tf.tensor2d([
        [0.299, -0.14714119, 0.61497538],
        [0.587, -0.28886916, -0.51496512],
        [0.114, 0.43601035, -0.10001026],
      ]);
      const x = v.tensor("images");
      return tf.reshape(tf.matMul(tf.reshape(x, [-1, 3]), kernel), x.shape);
    },
  ],
  gamma: ["x gamma gain", (v) => tf.mul(tf.pow(v.tensor("x"), v.number("gamma", 1)), v.number("gain", 1))],
  contrast: [
    "x contrast_factor",
    (v) => {
      const x = v.tensor("x");
      const mean = tf.mean(x, [x.rank - 3, x.rank - 2], true);
      return tf.add(tf.mul(tf.sub(x, mean), v.number("contrast_factor", 1)), mean);
    },
  ],
  // Each image minus its mean, divided by its deviation, which counts as 1 / sqrt(numbers) at least.
  standardized: [
    "x",
    (v) => {
      const x = v.tensor("x");
      const axes = [x.rank - 3, x.rank - 2, x.rank - 1];
      const { mean, variance } = tf.moments(x, axes, true);
      const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
      return tf.div(tf.sub(x, mean), tf.maximum(tf.sqrt(variance), 1 / Math.sqrt(count)));
    },
  ],
  localresponsenormalization: [
    "x depth_radius bias alpha beta",
    (v) => {
      const x = v.tensor("x") as tf.Tensor4D;
      const [radius, channels] = [v.number("depth_radius", 5), x.shape[3]];
      const squares = tf.pad(tf.square(x), [
        [0, 0],
        [0, 0],
        [0, 0],
        [radius, radius],
      ]);
      const near = Array.from({ length: 2 * radius + 1 }, (_, shift) =>
        tf.slice(squares, [0, 0, 0, shift], [-1, -1, -1, channels]),
      );
      const base = tf.add(tf.mul(tf.addN(near), v.number("alpha", 1)), v.number("bias", 1));
      return tf.div(x, tf.pow(base, v.number("beta", 0.5)));
    },
  ],
  gaussianblur: [
    "images kernel_size sigma data_format",
    (v) => {
      channelsLast(v);
      const x = v.tensor("images") as tf.Tensor4D;
      const [sizes, sigmas] = [v.numbers("kernel_size") ?? [3, 3], v.numbers("sigma") ?? [1, 1]];
      const row = (at: number): tf.Tensor => {
        const size = sizes[at] ?? sizes[0]!;
        const places = tf.sub(tf.range(0, size), (size - 1) / 2);
        const weights = tf.exp(tf.mul(tf.square(tf.div(places, sigmas[at] ?? sigmas[0]!)), -0.5));
        return tf.div(weights, tf.sum(weights));
      };
      const [first, second] = [row(0), row(1)];
      // Keras multiplies the second row by the first and then gives the product the shape of the kernel.
      const product = tf.mul(tf.expandDims(second, 1), tf.expandDims(first, 0));
      const kernel = tf.reshape(product, [sizes[0]!, sizes[1] ?? sizes[0]!, 1, 1]);
      return tf.depthwiseConv2d(x, tf.tile(kernel, [1, 1, x.shape[3], 1]) as tf.Tensor4D, 1, "same");
    },
  ],
};
