import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { adam, compile } from "../src/index.ts";
import { batchOf, crossEntropy, networks } from "./networks.ts";

/** A leak of one batch a step, 25 kB of images, would take 50 MB. */
const allowedBytes = 24e6;

test.runIf(engines.includes("native"))("2,000 steps take no more memory than the first few hundred", async () => {
  await useEngine("native");
  const { make, shape, classes } = networks["lenet5"] as (typeof networks)[string];
  const model = make();
  const optimizer = adam();
  const step = compile(
    (x: tf.Tensor, y: tf.Tensor) => optimizer.minimize(() => crossEntropy(model, x, y, classes), true) as tf.Scalar,
  );
  const batches = [1, 2, 3, 4].map((seed) => batchOf(32, shape, classes, seed));
  const run = async (steps: number): Promise<{ bytes: number; tensors: number }> => {
    for (let index = 0; index < steps; index++) {
      const { images, labels } = batches[index % batches.length]!;
      expect((await step(images, labels)).item()).toBeGreaterThanOrEqual(0);
    }
    return { bytes: process.memoryUsage.rss(), tensors: tf.memory().numTensors };
  };
  const before = await run(400);
  const after = await run(2000);
  expect(after.tensors).toBe(before.tensors);
  expect(after.bytes - before.bytes).toBeLessThan(allowedBytes);
  await step.dispose();
});
