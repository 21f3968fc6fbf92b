import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { compile } from "../src/index.ts";
import { tensorflow } from "../src/native/c-api.ts";

/** A step that multiplies its weight by a number and returns the product. */
function multiplier(start: number) {
  const weight = tf.variable(tf.scalar(start));
  const step = compile((factor: tf.Tensor) => {
    weight.assign(tf.mul(weight, factor) as tf.Scalar);
    return weight as tf.Tensor;
  });
  return { weight, step };
}

const sessionNodes = (compiled: { describe(): { sessionNodes: number }[] }) => compiled.describe().at(-1)!.sessionNodes;
const value = (variable: tf.Variable) => variable.dataSync()[0];

describe.runIf(engines.includes("native"))("sessions", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test("a function is compiled beside none of the functions with other variables that are kept", async () => {
    const kept = [];
    for (let index = 0; index < 12; index++) {
      const { step } = multiplier(index);
      expect((await step(tf.scalar(2))).item()).toBe(2 * index);
      kept.push(step);
    }
    const [first, ...others] = kept.map(sessionNodes);
    expect(others).toEqual(others.map(() => first));
    expect(first).toBeLessThan(20);
    for (const step of kept) await step.dispose();
  });

  test("a second copy of this package computes in the same process", async () => {
    vi.resetModules();
    const second = await import("../src/native/c-api.ts");
    const first = tensorflow();
    const other = second.tensorflow();
    expect(other).not.toBe(first);
    const graph = other.TF_NewGraph();
    expect(graph).toBeGreaterThan(0);
    other.TF_DeleteGraph(graph);
  });

  test("functions without variables are compiled beside nothing", async () => {
    const kept = [];
    for (let index = 0; index < 12; index++) {
      const scale = compile((x: tf.Tensor) => tf.mul(x, index));
      expect((await scale(tf.scalar(3))).item()).toBe(3 * index);
      kept.push(scale);
    }
    expect(new Set(kept.map(sessionNodes)).size).toBe(1);
    for (const scale of kept) await scale.dispose();
  });

  test("a function that uses the variables of two others brings all into one session, in the middle of their runs", async () => {
    const [a, b, c] = [multiplier(2), multiplier(3), multiplier(5)];
    for (const { step } of [a, b, c]) await step(tf.scalar(2));
    const alone = sessionNodes(a.step);
    const pending = [a, b, a, c, b].map(({ step }) => step(tf.scalar(10)));
    // The first of these runs is under way.
    await setImmediate();
    const both = compile((x: tf.Tensor) => {
      a.weight.assign(tf.add(a.weight, tf.mul(b.weight, x)) as tf.Scalar);
      return a.weight as tf.Tensor;
    });
    const sum = both(tf.scalar(1));
    expect((await Promise.all(pending)).map((result) => result.item())).toEqual([40, 60, 400, 100, 600]);
    expect((await sum).item()).toBe(1000);
    expect([a, b, c].map(({ weight }) => value(weight))).toEqual([1000, 600, 100]);
    expect(sessionNodes(a.step)).toBe(sessionNodes(both));
    expect(sessionNodes(b.step)).toBe(sessionNodes(both));
    expect(sessionNodes(both)).toBeGreaterThan(2 * alone);
    expect(sessionNodes(c.step)).toBe(alone);
    a.weight.assign(tf.scalar(7));
    expect((await a.step(tf.scalar(3))).item()).toBe(21);
    await a.step.dispose();
    expect((await both(tf.scalar(2))).item()).toBe(1221);
    await both.dispose();
    expect((await b.step(tf.scalar(0.5))).item()).toBe(300);
    await b.step.dispose();
    expect([a, b].map(({ weight }) => value(weight))).toEqual([1221, 300]);
    expect((await c.step(tf.scalar(0.1))).item()).toBeCloseTo(10, 5);
    await c.step.dispose();
  });

  test("a failed run of a function that came from another session is undone", async () => {
    const rows = tf.variable(tf.tensor1d([1, 2, 3]));
    const other = multiplier(4);
    // The second step of one run may fail after the first has written.
    const pick = compile((index: tf.Tensor) => {
      rows.assign(tf.mul(rows, 2) as tf.Tensor1D);
      rows.assign(tf.add(rows, tf.gather(rows, index as tf.Tensor1D)) as tf.Tensor1D);
      return rows as tf.Tensor;
    });
    const index = (i: number) => ({ data: Int32Array.of(i), shape: [1] });
    expect([...(await pick(index(0))).data]).toEqual([4, 6, 8]);
    await other.step(tf.scalar(1));
    const both = compile((x: tf.Tensor) => tf.mul(tf.add(rows, other.weight), x));
    expect([...(await both(tf.scalar(1))).data]).toEqual([8, 10, 12]);
    await expect(pick(index(9))).rejects.toThrow(/indices/);
    expect([...rows.dataSync()]).toEqual([4, 6, 8]);
    expect([...(await pick(index(2))).data]).toEqual([24, 28, 32]);
    for (const compiled of [pick, both, other.step]) await compiled.dispose();
  });

  test("a call by now leaves the result of the run in progress as it was", async () => {
    const double = compile((x: tf.Tensor) => tf.mul(x, 2));
    double.now(tf.scalar(0));
    for (let turn = 1; turn <= 20; turn++) {
      const started = double(tf.scalar(turn));
      await Promise.resolve();
      await Promise.resolve();
      expect(double.now(tf.scalar(-turn)).item()).toBe(-2 * turn);
      expect((await started).item()).toBe(2 * turn);
    }
    await double.dispose();
  });
});
