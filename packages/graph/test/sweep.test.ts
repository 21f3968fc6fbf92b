import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { hashed } from "./networks.ts";

const CYCLES = 40;

/** A step that may fail on an index, so that what it writes is kept for the run. */
function training() {
  const [embedding, weight] = [
    tf.variable(tf.tensor2d([...Array(12).keys()].map(hashed), [6, 2])),
    tf.variable(tf.tensor1d([0.5, -1])),
  ];
  const optimizer = tf.train.adam(0.1);
  const step = (index: tf.Tensor) =>
    optimizer.minimize(() => {
      const picked = tf.gather(embedding, index as tf.Tensor1D);
      return tf.sum(tf.square(tf.mul(tf.add(picked, tf.range(0, 2)), weight))) as tf.Scalar;
    }, true) as tf.Scalar;
  return { step, weight, values: () => [embedding, weight].map((variable) => [...variable.dataSync()]).flat() };
}

const at = (i: number) => ({ data: Int32Array.of(i), shape: [1] });

describe.runIf(engines.includes("native"))("functions compiled and disposed while another one lives", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test("leave its weights, its queue and its copies as they are", async () => {
    const [eager, compiled] = [training(), training()];
    const step = compile(compiled.step);
    const unused = tf.variable(tf.scalar(7));
    const copies: [tf.Tensor, number[]][] = [];
    for (let cycle = 0; cycle < CYCLES / 2; cycle++) {
      const other = compile((x: tf.Tensor) => tf.mul(tf.add(x, unused), tf.sum(compiled.weight)));
      const sum = compiled.weight.dataSync<"float32">().reduce((a, b) => a + b);
      expect((await other(tf.scalar(cycle))).item()).toBeCloseTo((cycle + 7) * sum, 4);
      const queued = [step(at(cycle % 6)), step(at(9)), step(at(5))];
      const ended = other.dispose();
      const [first, failed, last] = await Promise.allSettled([...queued, step(at(0))]);
      await ended;
      for (const i of [cycle % 6, 5, 0]) tf.tidy(() => void eager.step(tf.tensor1d([i], "int32")));
      expect([first?.status, failed?.status, last?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      compiled.values().forEach((value, i) => expect(value).toBeCloseTo(eager.values()[i] as number, 4));
      if (cycle % 10 === 5) copies.push([compiled.weight.clone(), [...compiled.weight.dataSync()]]);
    }
    for (const { weight } of [eager, compiled]) weight.assign(tf.tensor1d([1, 2]));
    unused.dispose();
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const other = compile((x: tf.Tensor) => tf.add(x, 1));
      await other(tf.scalar(cycle));
      await other.dispose();
    }
    await step(at(1));
    tf.tidy(() => void eager.step(tf.tensor1d([1], "int32")));
    compiled.values().forEach((value, i) => expect(value).toBeCloseTo(eager.values()[i] as number, 4));
    for (const [copy, values] of copies) expect([...copy.dataSync()]).toEqual(values);
    expect(step.describe()).toHaveLength(1);
    await step.dispose();
    compiled.values().forEach((value, i) => expect(value).toBeCloseTo(eager.values()[i] as number, 4));
  });

  test("leave no memory taken", async () => {
    const alive = compile((x: tf.Tensor) => tf.add(x, 1));
    await alive(tf.scalar(1));
    const [megabytes, cycles] = [4, 24];
    const constant = tf.tensor(Float32Array.from({ length: megabytes << 18 }, (_, i) => i));
    const cycle = async () => {
      const f = compile((x: tf.Tensor) => tf.sum(tf.mul(constant, x)));
      await f(tf.scalar(1));
      await f.dispose();
    };
    for (let i = 0; i < 8; i++) await cycle();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < cycles; i++) await cycle();
    // A graph holds its constant several times over.
    expect(process.memoryUsage().rss - before).toBeLessThan(cycles * megabytes * 2 ** 20);
    expect((await alive(tf.scalar(2))).item()).toBe(3);
    await alive.dispose();
    constant.dispose();
  });
});
