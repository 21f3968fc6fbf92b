// Trains LeNet-5 with losses and optimizers by name, and with the same as functions of a user's own, in turns, and compares the images
// a second of their compiled steps. Writes what came of it to `results/own-parts.json`.
//
//     pnpm --filter @convkit/cli prove:own-parts
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { defineOptimizer } from "@convkit/core";
import { fromArrays, loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { taskHeads, train, type TrainOptions } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";

const [rounds, batch, count] = [5, 64, 4096];

/** The optimizer of the README. */
const signed = defineOptimizer("SignedOfProof", {
  options: { learningRate: 0.001, beta: 0.9 },
  slots: { mean: 0 },
  update: ({ weight, gradient, rate, slots }, { beta }) => {
    const mean = tf.add(tf.mul(slots.mean, beta), tf.mul(gradient, 1 - beta));
    return { weight: tf.sub(weight, tf.mul(tf.sign(mean), rate)), mean };
  },
});

/** Adam as in Keras: the built-in one is a single fused op for each weight. */
const adam = defineOptimizer("AdamOfProof", {
  options: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  slots: { mean: 0, square: 0 },
  update: ({ weight, gradient, rate, step, slots }, { beta1, beta2, epsilon }) => {
    const mean = tf.add(tf.mul(slots.mean, beta1), tf.mul(gradient, 1 - beta1));
    const square = tf.add(tf.mul(slots.square, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const scale = tf.mul(rate, tf.div(tf.sqrt(tf.sub(1, tf.pow(beta2, step))), tf.sub(1, tf.pow(beta1, step))));
    return { weight: tf.sub(weight, tf.div(tf.mul(mean, scale), tf.add(tf.sqrt(square), epsilon))), mean, square };
  },
});

type Parts = Pick<TrainOptions, "loss" | "optimizer">;
const squares = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.mean(tf.squaredDifference(yTrue, yPred), -1);
const pairs: Readonly<Record<string, readonly [builtIn: () => Parts, own: () => Parts]>> = {
  loss: [() => ({ loss: "mse", optimizer: "sgd" }), () => ({ loss: squares, optimizer: "sgd" })],
  "optimizer of the README, beside lion": [() => ({ optimizer: "lion" }), () => ({ optimizer: signed() })],
  "Adam as a function, beside the fused one": [() => ({ optimizer: "adam" }), () => ({ optimizer: adam() })],
};

const engine = await useEngine();
const { train: digits } = await loadData("mnist", { limit: count });
let images = new Uint8Array();
const sums: number[] = [];
for await (const each of digits.batches({ batch: count })) {
  images = Uint8Array.from(each.images);
  for (let row = 0; row < count; row += 1)
    sums.push(images.subarray(row * 784, (row + 1) * 784).reduce((sum, value) => sum + value, 0) / 784 / 255);
}
const data = fromArrays({ images, shape: [28, 28, 1], targets: { ink: { kind: "numbers", values: sums } } });

async function speed(parts: Parts): Promise<number> {
  const model = taskHeads(createModel("lenet5", { seed: 1 }), data);
  const result = await train({ ...parts, model, data, batch, epochs: 2, progress: false, metrics: [] });
  model.dispose();
  return result.imagesPerSecond;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const rows = [];
for (const [name, [builtIn, own]] of Object.entries(pairs)) {
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    theirs.push(await speed(builtIn()));
    ours.push(await speed(own()));
  }
  const ratio = median(ours.map((value, round) => value / theirs[round]!));
  const row = {
    part: name,
    builtIn: Math.round(median(theirs)),
    own: Math.round(median(ours)),
    ratio: Number(ratio.toFixed(3)),
  };
  rows.push(row);
  process.stdout.write(`${name}: ${row.own} images/s, built in ${row.builtIn}, ratio ${row.ratio}\n`);
}
const processor = cpus()[0]?.model ?? "unknown";
const result = {
  network: "lenet5",
  batch,
  rounds,
  engine: engine.name,
  tensorflow: engine.tensorflow,
  processor,
  rows,
};
const file = fileURLToPath(new URL("results/own-parts.json", import.meta.url));
await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
