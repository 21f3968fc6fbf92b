import { accelerate, useEngine } from "convkit";
import * as tf from "convkit/tf";

const { name: engine } = await useEngine();
const { sequential, layers } = tf.layers;

// A program as it was written for @tensorflow/tfjs-node.
const model = sequential();
model.add(layers.conv2d({ inputShape: [28, 28, 1], filters: 8, kernelSize: 5, activation: "relu" }));
model.add(layers.maxPooling2d({ poolSize: 2 }));
model.add(layers.flatten());
model.add(layers.dense({ units: 10, activation: "softmax" }));
model.compile({ optimizer: "sgd", loss: "categoricalCrossentropy" });
const x = tf.randomUniform([1280, 28, 28, 1], 0, 1, "float32", 1);
const y = tf.oneHot(tf.randomUniform([1280], 0, 10, "int32", 2), 10);

async function epochs() {
  const start = performance.now();
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 64, shuffle: false, verbose: 0 });
  return { loss: history.loss.at(-1), seconds: (performance.now() - start) / 1000 };
}

const before = model.getWeights().map((weight) => weight.clone());
const eager = await epochs();
model.setWeights(before);

if (engine !== "wasm") accelerate(model); // the line

const fast = await epochs();
console.log(`eager ${eager.seconds.toFixed(2)} s, accelerated ${fast.seconds.toFixed(2)} s, on ${engine}`);
console.log(`losses differ by ${Math.abs(eager.loss - fast.loss) < 1e-4 * eager.loss ? "less" : "more"} than 0.01 %`);
