import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { networks } from "./networks.ts";

const batches = [1, 2, 7, 33, 32, 29, 1];

/** Values that differ from sample to sample. */
const ramp = (shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b);
  return { data: Float32Array.from({ length: size }, (_, at) => ((at * 37) % 101) / 101 - 0.4), shape: [...shape] };
};

describe.runIf(engines.includes("native"))("a frozen function at several batch sizes", () => {
  beforeAll(() => useEngine("native"));

  test.each(["lenet5", "residual-basic"])("%s has eager tfjs' numbers, by two graphs", async (name) => {
    const { make, shape } = networks[name] as (typeof networks)[string];
    const net = make();
    const predict = compile((x: tf.Tensor) => net.apply(x) as tf.Tensor, { freeze: true });
    for (const batch of batches) {
      const images = ramp([batch, ...shape]);
      const got = await predict(images);
      const expected = tf.tidy(() => net.apply(tf.tensor(images.data, images.shape)) as tf.Tensor);
      expect(got.shape).toEqual(expected.shape);
      const values = expected.dataSync();
      got.data.forEach((value, at) => expect(value).toBeCloseTo(values[at]!, 4));
    }
    expect(predict.describe().map(({ inputs: [input], runs }) => [input, runs])).toEqual([
      [`0: float32 [1, ${shape.join(", ")}]`, 2],
      [`0: float32 [-1, ${shape.join(", ")}]`, batches.length - 2],
    ]);
    await predict.dispose();
  });

  test("recurrent, reshaped and sized by the batch: by one graph after the first", async () => {
    const rnn = tfl.layers.simpleRNN({ units: 3, returnSequences: true });
    rnn.apply(tf.zeros([1, 5, 4]));
    const fn = (x: tf.Tensor3D) => {
      const [n, steps] = x.shape;
      const y = rnn.apply(x) as tf.Tensor3D;
      const flat = tf.reshape(y, [n * steps, 3]);
      return [tf.reshape(tf.mul(flat, 2), [steps, n, 3]), tf.concat([tf.zeros([n, 2]), tf.mean(y, 1)], 1)];
    };
    const predict = compile(fn, { freeze: true });
    for (const batch of batches) {
      const x = ramp([batch, 5, 4]);
      const got = await predict(x);
      const expected = tf.tidy(() => fn(tf.tensor3d(x.data, x.shape as [number, number, number])));
      expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
      for (const [index, { data }] of got.entries()) {
        const values = expected[index]!.dataSync();
        data.forEach((value, at) => expect(value).toBeCloseTo(values[at]!, 5));
      }
    }
    expect(predict.describe()).toHaveLength(2);
    await predict.dispose();
  });

  test("another way at some size has a graph of its own", async () => {
    const factor = tf.variable(tf.scalar(2));
    const fn = (x: tf.Tensor1D) => (x.shape[0] === 3 ? tf.neg(tf.mul(x, factor)) : tf.mul(x, factor));
    const predict = compile(fn, { freeze: true });
    const results: number[][] = [];
    for (const batch of [1, 2, 3, 4, 3]) {
      results.push([...(await predict({ data: new Float32Array(batch).fill(batch), shape: [batch] })).data]);
    }
    expect(results).toEqual([[2], [4, 4], [-6, -6, -6], [8, 8, 8, 8], [-6, -6, -6]]);
    expect(predict.describe().map(({ inputs }) => inputs[0])).toEqual([
      "0: float32 [1]",
      "0: float32 [-1]",
      "0: float32 [3]",
    ]);
    await predict.dispose();
    factor.dispose();
  });

  test("numbers that are no multiple of the size have a graph a size", async () => {
    const padded = (x: tf.Tensor2D) =>
      tf.pad(x, [
        [0, 1],
        [0, 0],
      ]);
    const shifted = (x: tf.Tensor2D) => tf.mul(tf.sum(x, 0), 1 / (x.shape[0] + 1));
    for (const [each, expected] of [
      [padded, (n: number) => [...Array.from({ length: n }, () => 3), 0]],
      [shifted, (n: number) => [(3 * n) / (n + 1)]],
    ] as const) {
      const predict = compile(each as (x: tf.Tensor2D) => tf.Tensor, { freeze: true });
      for (const batch of [1, 2, 5, 6]) {
        const { data } = await predict({ data: new Float32Array(batch).fill(3), shape: [batch, 1] });
        expected(batch).forEach((value, at) => expect(data[at]).toBeCloseTo(value, 5));
      }
      await predict.dispose();
    }
  });
});
