import { readdirSync, readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { engines } from "@convkit/testing";
import { useEngine } from "@convkit/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { batchOf, crossEntropy, networks } from "./networks.ts";

const optimizers = {
  SGD: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  Nesterov: () => tf.train.momentum(0.02, 0.9, true),
  Adam: () => tf.train.adam(0.001),
  RMSprop: () => tf.train.rmsprop(0.001, 0.9, 0.5),
  Adagrad: () => tf.train.adagrad(0.01),
  Adadelta: () => tf.train.adadelta(0.5),
  Adamax: () => tf.train.adamax(0.002),
};

/**
 * Every network with Adam, every optimizer with one network: an update does not depend on the network that it is of.
 * `CONVKIT_SUITES=1` runs every network with the four optimizers that are asked for most.
 */
const ofEveryNetwork = process.env["CONVKIT_SUITES"] === "1" ? ["SGD", "momentum", "Adam", "RMSprop"] : ["Adam"];
const cases = Object.keys(networks).flatMap((network) =>
  Object.keys(optimizers)
    .filter((name) => network === "lenet5" || ofEveryNetwork.includes(name))
    .map((optimizer) => [network, optimizer as keyof typeof optimizers] as const),
);

describe.runIf(engines.includes("native"))("20 compiled steps equal 20 eager ones", () => {
  beforeAll(async () => {
    await useEngine("native", { threads: 1 });
    // In tests tfjs counts what a fused kernel keeps for the gradient as a leak, and eager training throws.
    tf.env().set("IS_TEST", false);
  });

  test.each(cases)("%s with %s", async (network, name) => {
    const { make, shape, classes } = networks[network] as (typeof networks)[string];
    const nets = [make(), make()] as const;
    const [forGraph, forEager] = [optimizers[name](), optimizers[name]()];
    const step = compile(
      (images: tf.Tensor, labels: tf.Tensor) =>
        forGraph.minimize(() => crossEntropy(nets[0], images, labels, classes), true) as tf.Scalar,
      { deterministic: true },
    );
    const compiled: number[] = [];
    const eager: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { images, labels } = batchOf(8, shape, classes, i % 4);
      compiled.push((await step(images, labels)).item());
      tf.tidy(() => {
        const x = tf.tensor(Float32Array.from(images.data), images.shape);
        const y = tf.tensor(labels.data, labels.shape, "int32");
        const loss = forEager.minimize(() => crossEntropy(nets[1], x, y, classes), true) as tf.Scalar;
        eager.push(loss.dataSync()[0] as number);
      });
    }
    expect(relativeDifference(compiled, eager)).toBeLessThan(1e-5);
    const weights = nets.map((net) => net.getWeights().map((weight) => weight.dataSync()));
    weights[0]?.forEach((values, index) => {
      expect(relativeDifference(values, weights[1]?.[index] as Float32Array)).toBeLessThan(1e-5);
    });
    await step.dispose();
  });

  test("on the engine's one thread, whatever number is asked for, which is told once", async () => {
    const told: string[] = [];
    const branches = (x: tf.Tensor): tf.Tensor => tf.add(tf.sum(tf.exp(x)), tf.sum(tf.sin(x)));
    const wide = compile(branches, { threads: 2, onNotice: (line) => told.push(line) });
    expect((await wide(tf.zeros([3]))).item()).toBe(3);
    await wide(tf.zeros([4]));
    expect(told).toEqual([
      "compile: TensorFlow computes with 1 thread in this process, not with 2: give useEngine the number at its first use.",
    ]);
    const own = compile(branches, { threads: 1, onNotice: (line) => told.push(line) });
    await own(tf.zeros([3]));
    expect(told).toHaveLength(1);
    await Promise.all([wide.dispose(), own.dispose()]);
    if (process.platform !== "linux") return;
    // A thread for eager ops, and one for those of all sessions.
    const names = readdirSync("/proc/self/task").map((id) => readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim());
    expect(names.filter((name) => name === "tf_Compute")).toHaveLength(2);
  });
});

/** The greatest difference, as a part of the greatest value. */
function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
    size = Math.max(size, Math.abs(b[i] as number));
  }
  return difference / Math.max(size, 1e-3);
}
