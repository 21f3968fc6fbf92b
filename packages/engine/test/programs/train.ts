import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

import { useEngine, type EngineName } from "../../src/index.ts";

/** Trains a small convolutional network for a few steps on the engine that the environment names; prints JSON. */
const engine = await useEngine(process.env["ENGINE"] as EngineName);
const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed });
const model = tfl.sequential({
  layers: [
    tfl.layers.conv2d({
      inputShape: [8, 8, 1],
      filters: 4,
      kernelSize: 3,
      activation: "relu",
      kernelInitializer: seeded(1),
    }),
    tfl.layers.maxPooling2d({ poolSize: 2 }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: seeded(2) }),
  ],
});
model.compile({ optimizer: tf.train.sgd(0.2), loss: "categoricalCrossentropy" });
const labels = Array.from({ length: 12 }, (_, index) => index % 3);
const images = tf.tensor4d(
  labels.flatMap((label, index) =>
    Array.from({ length: 64 }, (_, pixel) => (pixel % 3 === label ? 1 : 0) + ((index * pixel) % 7) / 10),
  ),
  [12, 8, 8, 1],
);
const { history } = await model.fit(images, tf.oneHot(tf.tensor1d(labels, "int32"), 3), {
  epochs: 25,
  batchSize: 12,
  shuffle: false,
  verbose: 0,
});
process.stdout.write(JSON.stringify({ engine, losses: history["loss"] }));
process.exit(0);
