import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, compile } from "../src/index.ts";

// oneDNN, which loses NaN, is not on by default on every CPU.
process.env["TF_ENABLE_ONEDNN_OPTS"] = "1";

const draw = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);

describe.runIf(engines.includes("native"))("NaN in a compiled function", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  const matrix = () => draw([5, 6], 1) as tf.Tensor2D;
  const filter = () => draw([3, 3, 3, 4], 2) as tf.Tensor4D;
  const functions: [string, number[], (x: tf.Tensor) => tf.Tensor][] = [
    [
      "relu of a product with bias",
      [3, 5],
      (x) => tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, matrix()), tf.ones([6]))),
    ],
    [
      "relu6 of a product with bias",
      [3, 5],
      (x) => tf.relu6(tf.add(tf.matMul(x as tf.Tensor2D, matrix()), tf.ones([6]))),
    ],
    ["relu of a convolution", [2, 8, 8, 3], (x) => tf.relu(tf.conv2d(x as tf.Tensor4D, filter(), 1, "same"))],
    [
      "relu of a convolution with bias",
      [2, 8, 8, 3],
      (x) => tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, filter(), 1, "same"), tf.ones([4]))),
    ],
    ["softmax", [3, 5], (x) => tf.softmax(x)],
    [
      "softmax of a product with bias and relu",
      [3, 5],
      (x) => tf.softmax(tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, matrix()), tf.ones([6])))),
    ],
  ];

  test.each(functions.flatMap(([name, ...rest]) => [false, true].map((freeze) => [name, freeze, ...rest] as const)))(
    "stays where eager tfjs has it: %s, frozen %s",
    async (_, freeze, shape, fn) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
      values[0] = Number.NaN;
      const expected = [...fn(tf.tensor(values, shape)).dataSync()];
      expect(expected.some(Number.isNaN)).toBe(true);
      expect(expected.every(Number.isNaN)).toBe(false);
      const f = compile(fn, { freeze });
      const { data } = await f({ data: values, shape });
      [...data].forEach((value, i) => {
        if (Number.isNaN(expected[i])) expect(value).toBeNaN();
        else expect(value).toBeCloseTo(expected[i] as number, 4);
      });
      await f.dispose();
    },
  );

  // TensorFlow and Keras compute 0 there, and tfjs, whose gradient is a product with a step function, NaN.
  test.each([
    ["ReLU", (x: tf.Tensor) => tf.relu(x), [0, 2, 0, 2]],
    ["ReLU6", (x: tf.Tensor) => tf.relu6(x), [0, 2, 0, 0]],
  ] as const)("the gradient of %s at NaN is TensorFlow's; deterministic, tfjs' own", async (_, relu, expected) => {
    const gradient = (x: tf.Tensor) => tf.grad(relu)(x, tf.fill([4], 2));
    const x = tf.tensor1d([Number.NaN, 1, -1, 7]);
    const eager = [...gradient(x).dataSync()];
    expect(eager).toEqual([Number.NaN, ...expected.slice(1)]);
    for (const deterministic of [false, true]) {
      const f = compile(gradient, { deterministic });
      expect([...(await f(x)).data]).toEqual(deterministic ? eager : expected);
      await f.dispose();
    }
  });

  test.each([
    ["with ReLU", false],
    ["with batch norm and ReLU", true],
  ] as const)("shows in the loss and the weights of an accelerated model %s", async (_, norm) => {
    const run = async (isFast: boolean) => {
      const zeros = { kernelInitializer: "zeros" } as const;
      const model = tfl.sequential({
        layers: [
          tfl.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 3], ...zeros }),
          ...(norm ? [tfl.layers.batchNormalization()] : []),
          tfl.layers.reLU(),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 4, activation: "softmax", ...zeros }),
        ],
      });
      model.layers[0]!.setWeights([draw([3, 3, 3, 4], 1), tf.zeros([4])]);
      model.layers.at(-1)!.setWeights([draw([64, 4], 2), tf.zeros([4])]);
      model.compile({ optimizer: tf.train.sgd(0.05), loss: "categoricalCrossentropy" });
      const accelerated = isFast ? accelerate(model) : undefined;
      const x = tf.concat([draw([4, 6, 6, 3], 3), tf.fill([4, 6, 6, 3], Number.NaN), draw([4, 6, 6, 3], 4)]);
      const y = tf.oneHot(
        tf.tensor1d(
          [...Array(12).keys()].map((i) => i % 4),
          "int32",
        ),
        4,
      );
      const losses: number[] = [];
      await model.fit(x, y, {
        batchSize: 4,
        shuffle: false,
        verbose: 0,
        callbacks: { onBatchEnd: async (_batch, logs) => void losses.push(logs?.["loss"] as number) },
      });
      const isFinite = model.getWeights().map((w) => w.dataSync().every(Number.isFinite));
      const predicted = [...(model.predict(draw([1, 6, 6, 3], 5)) as tf.Tensor).dataSync()];
      await accelerated?.dispose();
      return { losses, isFinite, predicted };
    };
    const [expected, got] = [await run(false), await run(true)];
    expect(got.losses[0]).toBeCloseTo(expected.losses[0] as number, 4);
    expect(got.losses.slice(1)).toEqual([Number.NaN, Number.NaN]);
    expect(expected.losses.slice(1)).toEqual([Number.NaN, Number.NaN]);
    expect(got.isFinite).toEqual(expected.isFinite);
    expect(got.predicted).toEqual(expected.predicted);
  });
});
