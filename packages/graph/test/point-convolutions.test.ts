import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import type { CompileOptions } from "../src/index.ts";
import { hashed } from "./networks.ts";

interface Convolution {
  x: [n: number, h: number, w: number, channels: number];
  filter: [kh: number, kw: number, into: number, outOf: number];
  stride?: number | [number, number];
  pad?: "same" | "valid";
}

const values = (shape: readonly number[], seed: number) => ({
  data: Float32Array.from({ length: shape.reduce((size, side) => size * side, 1) }, (_, i) => hashed(seed * 1e6 + i)),
  shape: [...shape],
});

/** The result of a convolution, and the gradients by its picture and its filter. */
function derived({ stride = 1, pad = "same" }: Convolution) {
  return (x: tf.Tensor, filter: tf.Tensor) => {
    const convolve = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
    const y = convolve(x, filter);
    // Weighted by place, so that no two positions have the same gradient.
    const weights = tf.reshape(tf.sin(tf.range(0, y.size)), y.shape);
    return [y, ...tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(convolve(a, b), weights)))([x, filter])];
  };
}

async function compiledAndEager(convolution: Convolution, options: CompileOptions = {}) {
  const inputs = [values(convolution.x, 1), values(convolution.filter, 2)] as const;
  const compiled = compile(derived(convolution), options);
  const got = (await compiled(...inputs)).map(({ data }) => data);
  const ops = compiled.describe()[0]!.ops;
  await compiled.dispose();
  const eager = tf.tidy(() => {
    const [x, filter] = inputs.map(({ data, shape }) => tf.tensor(data, shape)) as [tf.Tensor, tf.Tensor];
    return derived(convolution)(x, filter).map((tensor) => tensor.dataSync());
  });
  return { got, eager, ops };
}

function expectClose(got: ArrayLike<number>[], expected: ArrayLike<number>[], tolerance: number): void {
  got.forEach((array, index) => {
    const wanted = Array.from(expected[index]!);
    const size = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
    const worst = wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(array[i]! - value)), 0);
    expect(worst / size).toBeLessThan(tolerance);
  });
}

const products: (Convolution & { title: string })[] = [
  { title: "1x1 over few positions", x: [2, 5, 4, 6], filter: [1, 1, 6, 3] },
  { title: "1x1 valid", x: [3, 2, 2, 4], filter: [1, 1, 4, 8], pad: "valid" },
  { title: "3x3 over a single position", x: [4, 1, 1, 5], filter: [3, 3, 5, 7] },
  { title: "5x3 / 2 over a single position", x: [4, 1, 1, 5], filter: [5, 3, 5, 2], stride: 2 },
  { title: "2x4 over a single position", x: [2, 1, 1, 3], filter: [2, 4, 3, 3] },
];

const others: (Convolution & { title: string })[] = [
  { title: "3x3 over two positions", x: [2, 1, 2, 3], filter: [3, 3, 3, 4] },
  { title: "1x1 / 2", x: [2, 4, 4, 3], filter: [1, 1, 3, 4], stride: 2 },
];

describe.runIf(engines.includes("native"))("convolutions that are matrix products", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(products)("$title is computed as such, to the same numbers", async (convolution) => {
    const { got, eager, ops } = await compiledAndEager(convolution);
    expect(ops).toMatchObject({ MatMul: 3 });
    expect(Object.keys(ops).filter((op) => op.startsWith("Conv2D"))).toEqual([]);
    expectClose(got, eager, 1e-5);
  });

  test.each(others)("$title stays a convolution", async (convolution) => {
    const { got, eager, ops } = await compiledAndEager(convolution);
    expect(ops).toMatchObject({ Conv2D: 1, Conv2DBackpropInput: 1 });
    expectClose(got, eager, 1e-5);
  });

  test("a dilated window over a single position stays a convolution", async () => {
    const dilated = (x: tf.Tensor, filter: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same", "NHWC", 2);
    const inputs = [values([2, 1, 1, 3], 1), values([3, 3, 3, 4], 2)] as const;
    const compiled = compile(dilated);
    const { data } = await compiled(...inputs);
    expect(compiled.describe()[0]!.ops).toMatchObject({ Conv2D: 1 });
    await compiled.dispose();
    const [x, filter] = inputs.map(({ data, shape }) => tf.tensor(data, shape)) as [tf.Tensor, tf.Tensor];
    expectClose([data], [tf.tidy(() => dilated(x, filter).dataSync())], 1e-5);
  });

  test("over many positions only the filter's gradient in 16 bits is a product", async () => {
    const convolution: Convolution = { x: [1, 48, 48, 64], filter: [1, 1, 64, 64] };
    const wide = await compiledAndEager(convolution);
    expect(wide.ops).toMatchObject({ Conv2D: 1, Conv2DBackpropInput: 1, Conv2DBackpropFilter: 1 });
    const half = await compiledAndEager(convolution, { precision: "bfloat16" });
    expect(half.ops).toMatchObject({ Conv2D: 1, Conv2DBackpropInput: 1, MatMul: 1 });
    // Where TensorFlow does not use oneDNN, its product adds up in bfloat16, too.
    expectClose(half.got, half.eager, 0.05);
  });

  test.each(products)("$title predicts the same with frozen weights", async ({ x: shape, filter, stride = 1, pad }) => {
    const weights = tf.variable(tf.tensor(values(filter, 2).data, filter));
    const predict = (x: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, weights as tf.Tensor as tf.Tensor4D, stride, pad ?? "same");
    const input = values(shape, 1);
    const compiled = compile(predict, { freeze: true });
    const { data } = await compiled(input);
    await compiled.dispose();
    expectClose([data], [tf.tidy(() => predict(tf.tensor(input.data, shape)).dataSync())], 1e-5);
    weights.dispose();
  });

  test("frozen weights that meet padding alone are left out", async () => {
    const filter = tf.variable(tf.randomUniform([3, 3, 64, 64], -1, 1, "float32", 5) as tf.Tensor4D);
    const predict = compile(
      (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor as tf.Tensor4D, 1, "same"),
      {
        freeze: true,
      },
    );
    await predict(values([1, 1, 1, 64], 1));
    expect(predict.describe()[0]!.graphBytes).toBeLessThan(2 * 64 * 64 * 4);
    await predict.dispose();
    filter.dispose();
  });

  test("any size gives what it does eagerly", async () => {
    const side = fc.integer({ min: 1, max: 4 });
    const window = fc.integer({ min: 1, max: 3 });
    const stride = fc.integer({ min: 1, max: 2 });
    // TensorFlow's own kernel computes them wrong where the picture has one channel, otherwise at each call.
    const isComputed = (into: number, [down, right]: readonly [number, number]) => into > 1 || down === right;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(side, side, side, side, side),
        fc.tuple(window, window, stride, stride),
        async ([n, h, w, into, outOf], [kh, kw, down, right]) => {
          fc.pre(isComputed(into, [down, right]));
          const { got, eager } = await compiledAndEager({
            x: [n, h, w, into],
            filter: [kh, kw, into, outOf],
            stride: [down, right],
          });
          expectClose(got, eager, 1e-5);
        },
      ),
      { numRuns: 40, seed: 11 },
    );
  });
});
