import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { hashed } from "./networks.ts";

/** Ops over matrices that keep their shape, to be put together at random. */
const ops: Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  add: (x, y) => tf.add(x, y),
  sub: (x, y) => tf.sub(x, y),
  mul: (x, y) => tf.mul(x, y),
  relu: (x) => tf.relu(x),
  step: (x, y) => tf.mul(y, tf.step(x)),
  tanh: (x) => tf.tanh(x),
  row: (x, y) => tf.add(x, tf.slice(y, [0, 0], [1, -1])),
  bias: (x, y) => tf.add(x, tf.reshape(tf.slice(y, [0, 0], [1, -1]), [-1])),
  mean: (x) => tf.sub(x, tf.mean(x, 0, true)),
  columns: (x) => tf.sub(x, tf.sum(x, 0)),
  matMul: (x, y) => tf.matMul(tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D, false, true), y as tf.Tensor2D),
  reshape: (x) => tf.reshape(tf.reshape(x, [-1]), x.shape),
  softmax: (x) => tf.softmax(x as tf.Tensor2D),
  where: (x, y) => tf.where(tf.greater(tf.fill(x.shape, hashed(x.size)), 0), x, y),
  ones: (x) => tf.mul(x, tf.ones(x.shape)),
  concat: (x, y) => tf.slice(tf.concat([x, y], 1), [0, 0], x.shape as [number, number]),
};

describe.runIf(engines.includes("native"))("any composition", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  test("computes, and differentiates, what it does eagerly", async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(ops)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (list, rows, columns) => {
          const values = (seed: number) =>
            Float32Array.from({ length: rows * columns }, (_, i) => hashed(seed * 1000 + i));
          const compute = (x: tf.Tensor, y: tf.Tensor) =>
            list.reduce((z, name) => (ops[name] as (typeof ops)[string])(z, y), x);
          const both = (x: tf.Tensor, y: tf.Tensor) => [
            compute(x, y),
            ...tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(compute(a, b), b)))([x, y]),
          ];
          const shape = [rows, columns];
          const inputs = [1, 2].map((seed) => ({ data: values(seed), shape }));
          const compiled = compile(both);
          const got = await compiled(inputs[0] as (typeof inputs)[0], inputs[1] as (typeof inputs)[0]);
          await compiled.dispose();
          const expected = tf.tidy(() =>
            both(tf.tensor(values(1), shape), tf.tensor(values(2), shape)).map((tensor) => tensor.dataSync()),
          );
          got.forEach(({ data }, index) => {
            const wanted = expected[index] as Float32Array;
            const size = Math.max(1, ...wanted.map(Math.abs));
            data.forEach((value, i) => expect(Math.abs(value - (wanted[i] as number)) / size).toBeLessThan(1e-5));
          });
        },
      ),
      { numRuns: 40, seed: 4 },
    );
  });
});
