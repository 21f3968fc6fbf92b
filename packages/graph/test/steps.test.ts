import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, compile, hyper, random, sgd } from "../src/index.ts";
import { batchOf, crossEntropy, networks, setHashedWeights } from "./networks.ts";

describe.runIf(engines.includes("native"))("several calls in one run equal calls one by one", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  test.each([
    ["lenet5", sgd],
    ["lenet5", adam],
    ["residual-basic", () => sgd({ momentum: 0.9 })],
  ] as const)("%s with %o", async (name, make) => {
    const { make: net, shape, classes } = networks[name] as (typeof networks)[string];
    const nets = [net(), net()] as const;
    const [one, many] = nets.map((model) => {
      const optimizer = make();
      return compile(
        (x: tf.Tensor, y: tf.Tensor) => optimizer.minimize(() => crossEntropy(model, x, y, classes), true) as tf.Scalar,
      );
    }) as [Step, Step];
    const batches = [1, 2, 3, 4, 5, 6].map((seed) => batchOf(4, shape, classes, seed));
    const single: number[] = [];
    for (const { images, labels } of batches) single.push((await one(images, labels)).item());
    const grouped: number[] = [];
    for (const group of [batches.slice(0, 3), batches.slice(3)]) {
      const losses = await many.steps(group.map(({ images, labels }) => [images, labels] as const));
      grouped.push(...losses.map((loss) => loss.item()));
    }
    grouped.forEach((loss, i) => expect(loss).toBeCloseTo(single[i] as number, 4));
    const weights = nets.map((model) => model.getWeights().map((weight) => weight.dataSync()));
    weights[0]?.forEach((values, w) =>
      values.forEach((value, i) => expect(value).toBeCloseTo(weights[1]?.[w]?.[i] as number, 4)),
    );
    expect(many.runs).toBe(6);
    await Promise.all([one.dispose(), many.dispose()]);
  });

  test.each([
    ["sgd", () => sgd({ learningRate: 0.1 })],
    ["adam", () => adam({ learningRate: 0.1 })],
    ["tf.train.sgd", () => tf.train.sgd(0.1)],
    ["tf.train.adam", () => tf.train.adam(0.1)],
  ] as const)("each with the learning rate set before it, %s", async (_, make) => {
    const rates = [0.1, 0.01, 1, 0.5];
    const weightsBy = async (together: boolean) => {
      const w = tf.variable(tf.tensor1d([1, -2, 3]));
      const optimizer = make() as tf.Optimizer & { learningRate: number };
      const step = compile(
        (x: tf.Tensor) => optimizer.minimize(() => tf.sum(tf.square(tf.mul(w, x))), true) as tf.Scalar,
        { deterministic: true },
      );
      const set = (call: number) => {
        optimizer.learningRate = rates[call] as number;
      };
      const x = tf.tensor1d([0.3, 0.2, 0.1]);
      if (together)
        await step.steps(
          rates.map(() => [x] as const),
          { before: set },
        );
      else
        for (const call of rates.keys()) {
          set(call);
          await step(x);
        }
      await step.dispose();
      return [...w.dataSync()];
    };
    expect(await weightsBy(true)).toEqual(await weightsBy(false));
  });

  test("draw the same random numbers", async () => {
    const draw = () => compile(() => [random.uniform([3]), random.uniform([3])], { seed: 3 });
    const [one, many] = [draw(), draw()];
    const single = [await one(), await one(), await one()];
    const grouped = await many.steps([[], [], []]);
    expect(grouped.map((r) => r.map((t) => [...t.data]))).toEqual(single.map((r) => r.map((t) => [...t.data])));
    await Promise.all([one.dispose(), many.dispose()]);
  });
});

describe.runIf(engines.includes("native"))("lower precision", () => {
  test("float16 leaves out a step whose gradients overflow", async () => {
    await useEngine("native");
    const w = tf.variable(tf.ones([4, 4]));
    const optimizer = adam({ learningRate: 0.1 });
    const size = hyper(1);
    const step = compile(
      (x: tf.Tensor) =>
        optimizer.minimize(
          () => tf.mean(tf.matMul(tf.mul(x, size.read()) as tf.Tensor2D, w as tf.Tensor2D)),
          true,
        ) as tf.Scalar,
      { precision: "float16" },
    );
    const x = { data: Float32Array.from({ length: 16 }, (_, i) => i / 16), shape: [4, 4] };
    const sum = () => tf.tidy(() => tf.sum(w).dataSync()[0] as number);
    await step(x);
    const first = sum();
    expect(first).toBeLessThan(16);
    size.value = 1e4;
    await step(x);
    expect(sum()).toBe(first);
    expect((await optimizer.getWeights())[0]?.tensor.dataSync()[0]).toBe(1);
    size.value = 1;
    for (let i = 0; i < 12; i++) await step(x);
    expect(sum()).toBeLessThan(first - 1);
    await step.dispose();
  });

  test.each([
    ["bfloat16", "lenet5"],
    ["bfloat16", "residual-basic"],
    ["bfloat16", "mini-xception"],
    ["bfloat16", "inception-cifar10"],
    ["float16", "lenet5"],
    ["float16", "residual-basic"],
  ] as const)("%s trains %s about as float32 does", async (lower, name) => {
    await useEngine("native");
    const { make, shape, classes } = networks[name] as (typeof networks)[string];
    const losses = await Promise.all(
      (["float32", lower] as const).map(async (precision) => {
        const net = make();
        setHashedWeights(net);
        const optimizer = sgd({ learningRate: 0.05 });
        const step = compile(
          (x: tf.Tensor, y: tf.Tensor) => optimizer.minimize(() => crossEntropy(net, x, y, classes), true) as tf.Scalar,
          { precision },
        );
        const { images, labels } = batchOf(8, shape, classes, 2);
        const seen: number[] = [];
        for (let i = 0; i < 10; i++) seen.push((await step(images, labels)).item());
        const { variables, ops } = step.describe()[0] as ReturnType<typeof step.describe>[number];
        expect(variables.every((variable) => variable.includes("float32"))).toBe(true);
        expect(ops["Cast"] ?? 0).toBeLessThan(4 * variables.length + 8);
        await step.dispose();
        return seen;
      }),
    );
    const [full, half] = losses as [number[], number[]];
    expect(half.at(-1)).toBeLessThan(half[0] as number);
    full.forEach((loss, i) => expect(Math.abs((half[i] as number) - loss)).toBeLessThan(0.1 * (full[0] as number)));
  });
});

type Step = ReturnType<typeof compile<[tf.Tensor, tf.Tensor], tf.Scalar>>;
