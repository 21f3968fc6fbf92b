import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import type { CompileOptions } from "../src/index.ts";
import { hashed } from "./networks.ts";

interface Depthwise {
  title: string;
  x: [n: number, h: number, w: number, channels: number];
  filter: [kh: number, kw: number, channels: number, multiplier: number];
  stride?: number;
  pad?: "same" | "valid";
}

const turned: Depthwise[] = [
  { title: "3x3", x: [2, 6, 5, 4], filter: [3, 3, 4, 1] },
  { title: "5x3", x: [2, 6, 5, 4], filter: [5, 3, 4, 1] },
  { title: "7x7 over less", x: [1, 4, 4, 3], filter: [7, 7, 3, 1] },
];

const others: Depthwise[] = [
  { title: "3x3 / 2", x: [2, 6, 6, 4], filter: [3, 3, 4, 1], stride: 2 },
  { title: "2x2", x: [2, 6, 5, 4], filter: [2, 2, 4, 1] },
  { title: "3x3 without padding", x: [2, 6, 5, 4], filter: [3, 3, 4, 1], pad: "valid" },
  { title: "3x3, two filters a channel", x: [2, 6, 5, 4], filter: [3, 3, 4, 2] },
];

const values = (shape: readonly number[], seed: number) => ({
  data: Float32Array.from({ length: shape.reduce((size, side) => size * side, 1) }, (_, i) => hashed(seed * 1e6 + i)),
  shape: [...shape],
});

/** The result, and the gradients by picture and filter. */
function derived({ stride = 1, pad = "same" }: Depthwise) {
  return (x: tf.Tensor, filter: tf.Tensor) => {
    const convolve = (a: tf.Tensor, b: tf.Tensor) =>
      tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
    const y = convolve(x, filter);
    const weights = tf.reshape(tf.sin(tf.range(0, y.size)), y.shape);
    return [y, ...tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(convolve(a, b), weights)))([x, filter])];
  };
}

async function expectLikeEager(depthwise: Depthwise, options: CompileOptions, tolerance: number) {
  const inputs = [values(depthwise.x, 1), values(depthwise.filter, 2)] as const;
  const compiled = compile(derived(depthwise), options);
  const got = (await compiled(...inputs)).map(({ data }) => data);
  const { ops } = compiled.describe()[0]!;
  await compiled.dispose();
  const eager = tf.tidy(() => {
    const [x, filter] = inputs.map(({ data, shape }) => tf.tensor(data, shape)) as [tf.Tensor, tf.Tensor];
    return derived(depthwise)(x, filter).map((tensor) => tensor.dataSync());
  });
  got.forEach((array, index) => {
    const wanted = Array.from(eager[index]!);
    const size = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
    const worst = wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(array[i]! - value)), 0);
    expect(worst / size).toBeLessThan(tolerance);
  });
  return ops;
}

describe.runIf(engines.includes("native"))("gradients of depthwise convolutions in 16 bits", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(turned)("$title: by the picture it is a depthwise convolution", async (depthwise) => {
    const ops = await expectLikeEager(depthwise, { precision: "bfloat16" }, 0.03);
    expect(ops).toMatchObject({ DepthwiseConv2dNative: 2, ReverseV2: 1, DepthwiseConv2dNativeBackpropFilter: 1 });
    expect(ops).not.toHaveProperty("DepthwiseConv2dNativeBackpropInput");
  });

  test.each(others)("$title: by the picture it is TensorFlow's", async (depthwise) => {
    const ops = await expectLikeEager(depthwise, { precision: "bfloat16" }, 0.03);
    expect(ops).toMatchObject({ DepthwiseConv2dNative: 1, DepthwiseConv2dNativeBackpropInput: 1 });
  });

  test("in float32 it is TensorFlow's", async () => {
    const ops = await expectLikeEager(turned[0]!, {}, 1e-5);
    expect(ops).toMatchObject({ DepthwiseConv2dNative: 1, DepthwiseConv2dNativeBackpropInput: 1 });
  });
});

describe.runIf(engines.includes("native"))("max pools before a convolution in 16 bits", () => {
  test("pick by all bits forward and backward where their input has them", async () => {
    await useEngine("native");
    const filter = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
    const gradient = compile(
      (x: tf.Tensor) =>
        tf.grad((a: tf.Tensor) => tf.sum(tf.conv2d(tf.maxPool(a as tf.Tensor4D, 2, 2, "valid"), filter, 1, "valid")))(
          x,
        ),
      { precision: "bfloat16" },
    );
    // Equal in 16 bits.
    const { data } = await gradient({ data: Float32Array.of(1, 1.0001, 1.0002, 1.0001), shape: [1, 2, 2, 1] });
    expect([...data]).toEqual([0, 0, 1, 0]);
    await gradient.dispose();
    filter.dispose();
  });
});
