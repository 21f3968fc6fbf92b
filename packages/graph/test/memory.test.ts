import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { expect, test } from "vitest";
import { adam, compile } from "../src/index.ts";
import { batchOf, crossEntropy, networks } from "./networks.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Steps of which memory is read before and after; a leak of one batch a step, 25 kB of pixels, would take 20 MB. */
const steps = 800;
const allowedBytes = 8e6;

test.runIf(engines.includes("native"))("a step leaves no memory behind", async () => {
  await useEngine("native");
  const { make, shape, classes } = networks["lenet5"] as (typeof networks)[string];
  const model = make();
  const optimizer = adam();
  const step = compile(
    (x: tf.Tensor, y: tf.Tensor) => optimizer.minimize(() => crossEntropy(model, x, y, classes), true) as tf.Scalar,
  );
  const batches = [1, 2, 3, 4].map((seed) => batchOf(32, shape, classes, seed));
  const run = async (count: number): Promise<number> => {
    for (let index = 0; index < count; index++) {
      const { images, labels } = batches[index % batches.length]!;
      expect((await step(images, labels)).item()).toBeGreaterThanOrEqual(0);
    }
    collectGarbage();
    return process.memoryUsage.rss();
  };
  const bytes = [await run(400)];
  const { numTensors } = tf.memory();
  for (let round = 0; round < 3; round++) bytes.push(await run(steps));
  expect(tf.memory().numTensors).toBe(numTensors);
  // A leak shows each time; what allocators take once does not.
  const growth = bytes.slice(1).map((after, round) => after - bytes[round]!);
  expect(Math.min(...growth)).toBeLessThan(allowedBytes);
  await step.dispose();
});
