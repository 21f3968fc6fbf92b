import process from "node:process";

import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";

import { useEngine } from "../../src/index.ts";

/** Takes gradients on the wasm engine and prints them as JSON; ends by itself, with whatever threads it used. */
const { THREADS } = process.env;
const { threads } = await useEngine("wasm", THREADS ? { threads: Number(THREADS) } : {});
const numbers = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919) % 1009) / 504 - 1),
    shape,
  );
const x = numbers([8, 33, 31, 16]) as tf.Tensor4D;
const filter = numbers([3, 3, 16, 24]) as tf.Tensor4D;
const depthwise = numbers([3, 3, 24, 1]) as tf.Tensor4D;
const gradients = tf.grads((x: tf.Tensor, filter: tf.Tensor, depthwise: tf.Tensor) => {
  const y = tf.depthwiseConv2d(
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, "same"),
    depthwise as tf.Tensor4D,
    1,
    "same",
  );
  return tf.sum(tf.square(tf.maxPool(tf.relu(y) as tf.Tensor4D, 3, 2, "same")));
})([x, filter, depthwise]);
const sums = gradients.map((gradient) => [...tf.mean(gradient, [0, 1]).dataSync()]);
process.stdout.write(JSON.stringify({ threads, sums, listeners: process.listenerCount("uncaughtException") }));
