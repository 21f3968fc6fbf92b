import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, compile } from "../src/index.ts";

/** A recurrent layer is unrolled: its graph has thousands of small ops, and TensorFlow's optimizers are off for it. */
describe.runIf(engines.includes("native"))("a recurrent net with many steps", () => {
  beforeAll(async () => {
    await useEngine("native");
    // tfjs' check takes the parts of its own fused kernels for leaks.
    tf.env().set("IS_TEST", false);
  });

  const net = () => {
    const initializer = () => tfl.initializers.glorotUniform({ seed: 3 });
    const model = tfl.sequential({
      layers: [
        tfl.layers.lstm({
          units: 4,
          inputShape: [40, 3],
          kernelInitializer: initializer(),
          recurrentInitializer: initializer(),
        }),
        tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: initializer() }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.01), loss: "categoricalCrossentropy" });
    return model;
  };

  test("trains as eager tfjs, and tells when that pays", async () => {
    const x = tf.randomUniform([5, 40, 3], -1, 1, "float32", 7);
    const y = tf.oneHot(tf.tensor1d([0, 1, 1, 0, 1], "int32"), 2);
    const losses = async (model: tfl.LayersModel) => {
      const found: number[] = [];
      for (let step = 0; step < 3; step++) found.push((await model.trainOnBatch(x, y)) as number);
      return found;
    };
    const expected = await losses(net());
    const model = net();
    const accelerated = accelerate(model);
    const got = await losses(model);
    got.forEach((loss, step) => expect(loss).toBeCloseTo(expected[step]!, 5));
    const [{ nodes, eagerOps, runs, traceMs, firstRunMs, breakEvenRuns, advice }] = accelerated.describe() as [
      ReturnType<typeof accelerated.describe>[number],
    ];
    // Equal ops of the gradients are one node.
    expect({ runs, isLarge: nodes > 2000, areShared: eagerOps > 1.5 * nodes }).toEqual({
      runs: 3,
      isLarge: true,
      areShared: true,
    });
    // An op takes tfjs more than a microsecond to start.
    const seconds = (traceMs + firstRunMs!) / 1000;
    expect(breakEvenRuns).toBeGreaterThanOrEqual(1);
    expect(breakEvenRuns).toBeLessThanOrEqual(Math.ceil((seconds * 1e6) / eagerOps));
    expect(advice).toEqual(
      breakEvenRuns! <= 3
        ? ""
        : `Compiling pays from about ${breakEvenRuns} calls on, and 3 came so far; run eagerly if few more will come.`,
    );
    await accelerated.dispose();
  });

  test("tells how many ops a call starts eagerly, and counts the calls of several steps in one run", async () => {
    const gradient = (x: tf.Tensor) => tf.grad((v) => tf.sum(tf.mul(tf.sigmoid(v), tf.sigmoid(v))))(x);
    const { kernels } = await tf.profile(() => gradient(tf.tensor1d([1, 2])));
    const both = compile(gradient);
    await both.steps([[tf.tensor1d([1, 2])], [tf.tensor1d([3, 4])]]);
    expect(both.describe()).toMatchObject([{ eagerOps: kernels.length, runs: 2 }]);
    await both.dispose();
    const twice = compile((x: tf.Tensor) => tf.mul(x, 2));
    expect(twice.describe()).toEqual([]);
    await twice.steps([[tf.scalar(1)], [tf.scalar(2)], [tf.scalar(3)]]);
    await twice.steps([[tf.scalar(1)], [tf.scalar(2)], [tf.scalar(3)]]);
    expect(twice.describe()).toMatchObject([{ runs: 6 }]);
    await twice.dispose();
  });
});

/** TensorFlow infers the shape of one op of each kind; the others must have the shapes of eager tfjs. */
describe.runIf(engines.includes("native"))("shapes of ops of one kind", () => {
  beforeAll(() => useEngine("native"));

  test("depend on constants, attributes and the shapes of inputs", async () => {
    const fn = (x: tf.Tensor2D) => {
      const [a, b] = tf.split(tf.relu(x), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const [c, d] = tf.split(tf.relu(tf.mul(x, 2)), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const [e, f, g, h] = tf.split(tf.relu(x), 4, 1);
      return [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        tf.reshape(a, [2, 2]),
        tf.reshape(c, [4]),
        tf.reshape(d, [1, 4]),
        tf.sum(c, 0),
        tf.sum(d, 1),
        tf.matMul(c, d, false, true),
        tf.matMul(c, d, true, false),
        tf.slice(c, [0, 0], [1, 2]),
        tf.slice(d, [0, 1], [2, 1]),
        tf.argMax(c, 0),
        tf.argMax(c, 1),
        tf.add(tf.range(0, 3), 1),
        tf.add(tf.range(0, 5), 1),
        tf.cast(tf.greater(c, 1), "float32"),
        tf.tile(c, [1, 2]),
        tf.tile(c, [2, 1]),
      ] as tf.Tensor[];
    };
    const x = tf.tensor2d([1, -2, 3, 4, -5, 6, 7, 8], [2, 4]);
    const compiled = compile(fn);
    const got = await compiled(x);
    const expected = tf.tidy(() => fn(x));
    expect(got.map(({ shape, data }) => [shape, [...data]])).toEqual(
      expected.map((tensor) => [tensor.shape, [...tensor.dataSync()]]),
    );
    await compiled.dispose();
  });
});
