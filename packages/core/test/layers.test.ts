import {
  chain,
  conv,
  dropout,
  groupNorm,
  hardSigmoid,
  hardSwish,
  localResponseNorm,
  normalization,
  padChannels,
  shuffleChannels,
  sliceChannels,
  preprocess,
} from "@convkit/core";
import type { Block } from "@convkit/core";
import { composedLocalResponseNorm, groupedConv2d, probeGroups } from "@convkit/core/internal";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

function modelOf(block: Block, shape: number[]): tfl.LayersModel {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: block(input, "layer") });
}

function farthest(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number;
}

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });

  describe.each([false, true])("with kernels for groups looked for: %s", (looksFor) => {
    it.each([
      [2, 8, 12, 3, 1, "same"],
      [4, 8, 12, 3, 2, "same"],
      [4, 8, 12, 3, 2, "valid"],
      [32, 128, 128, 3, 1, "same"],
      [32, 64, 64, 3, 2, "same"],
      [3, 6, 3, 1, 1, "valid"],
    ] as const)(
      "%i groups of %i channels to %i, %ix window at stride %i, %s, equal one convolution each, gradients too",
      (groups, channels, filters, size, stride, padding) => {
        if (looksFor) probeGroups();
        const x = tf.randomNormal([2, 7, 7, channels], 0, 1, "float32", 1) as tf.Tensor4D;
        const kernel = tf.randomNormal([size, size, channels / groups, filters], 0, 1, "float32", 2) as tf.Tensor4D;
        const parted = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor => {
          const [inputs, kernels] = [tf.split(x, groups, 3), tf.split(kernel, groups, 3)];
          return tf.concat(
            inputs.map((part, i) => tf.conv2d(part as tf.Tensor4D, kernels[i] as tf.Tensor4D, stride, padding)),
            3,
          );
        };
        const whole = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
          groupedConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, groups, { strides: [stride, stride], padding });
        expect(farthest(whole(x, kernel), parted(x, kernel))).toBeLessThan(1e-4);
        const [dx, dk] = tf.grads(whole)([x, kernel]) as [tf.Tensor, tf.Tensor];
        const [ex, ek] = tf.grads(parted)([x, kernel]) as [tf.Tensor, tf.Tensor];
        expect(Math.max(farthest(dx, ex), farthest(dk, ek))).toBeLessThan(1e-3);
      },
    );
  });

  it.each([
    [2, "same"],
    [3, "valid"],
  ] as const)("a convolution dilated by %i, %s, equals tfjs' own, and has a gradient", (dilation, padding) => {
    const x = tf.randomNormal([1, 9, 9, 2], 0, 1, "float32", 1) as tf.Tensor4D;
    const kernel = tf.randomNormal([3, 3, 2, 4], 0, 1, "float32", 2) as tf.Tensor4D;
    const y = groupedConv2d(x, kernel, 1, { strides: [1, 1], padding, dilations: [dilation, dilation] });
    expect(farthest(y, tf.conv2d(x, kernel, 1, padding, "NHWC", dilation))).toBeLessThan(1e-4);
    const model = modelOf(conv(4, 3, { padding, dilation }), [9, 9, 2]);
    const { grads } = tf.variableGrads(() => tf.sum(model.apply(x, { training: true }) as tf.Tensor));
    expect(Object.values(grads).map(({ shape }) => shape)).toEqual([[3, 3, 2, 4], [4]]);
  });

  it.each([
    [
      "hardSigmoid",
      hardSigmoid,
      (x: number) => Math.min(Math.max(x + 3, 0), 6) / 6,
      (x: number) => (Math.abs(x) < 3 ? 1 / 6 : 0),
    ],
    [
      "hardSwish",
      hardSwish,
      (x: number) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
      (x: number) => (x >= 3 ? 1 : x <= -3 ? 0 : (2 * x + 3) / 6),
    ],
  ] as const)("%s is its formula, and so is its gradient", (_, make, formula, slope) => {
    const numbers = [-7, -3.5, -2.9, -1.5, -0.25, 0.5, 1, 2.9, 3.5, 8];
    const model = modelOf(make(), [numbers.length]);
    const x = tf.tensor2d([numbers]);
    const gradient = tf.grad((at) => tf.sum(model.apply(at) as tf.Tensor))(x);
    numbers.forEach((number, i) => {
      expect((model.predict(x) as tf.Tensor).dataSync()[i]).toBeCloseTo(formula(number), 5);
      expect(gradient.dataSync()[i]).toBeCloseTo(slope(number), 5);
    });
  });

  it.each([1, 2, 3, 15, 16])(
    "a strided 1x1 convolution of %i channels equals a plain product, gradients too",
    (channels) => {
      const model = modelOf(conv(5, 1, { padding: "same", stride: 2, activation: "relu" }), [7, 8, channels]);
      const x = tf.randomNormal([2, 7, 8, channels], 0, 1, "float32", 1) as tf.Tensor4D;
      const plain = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor => {
        const rows = tf.concat(
          [0, 2, 4, 6].map((row) => tf.slice(x, [0, row, 0, 0], [-1, 1, -1, -1])),
          1,
        );
        const pixels = tf.concat(
          [0, 2, 4, 6].map((column) => tf.slice(rows, [0, 0, column, 0], [-1, -1, 1, -1])),
          2,
        );
        return tf.relu(
          tf.reshape(tf.matMul(tf.reshape(pixels, [32, channels]), tf.reshape(kernel, [channels, 5])), [2, 4, 4, 5]),
        );
      };
      const [kernel] = model.trainableWeights.map((weight) => weight.read() as tf.Variable) as [tf.Variable];
      expect(farthest(model.apply(x, { training: true }) as tf.Tensor, plain(x, kernel))).toBeLessThan(1e-5);
      for (let i = 0; i < 20; i++) {
        const { grads } = tf.variableGrads(() => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)));
        const expected = tf.grad((kernel) => tf.square(plain(x, kernel)))(kernel);
        expect(farthest(grads[kernel.name] as tf.Tensor, expected)).toBeLessThan(1e-3);
      }
    },
  );

  it("a grouped layer has a group's share of weights", () => {
    const model = modelOf(conv(12, 3, { padding: "same", groups: 4 }), [5, 5, 8]);
    expect(model.weights.map(({ shape }) => shape)).toEqual([[3, 3, 2, 12], [12]]);
    expect(model.layers.at(-1)?.getConfig()).toMatchObject({ groups: 4 });
  });

  it("local response norm equals its formula, and its gradient the composed one's", () => {
    const x = tf.randomNormal([2, 3, 3, 7], 0, 2, "float32", 5) as tf.Tensor4D;
    const options = { radius: 2, bias: 1, alpha: 0.3, beta: 0.75 };
    const model = modelOf(localResponseNorm(options), [3, 3, 7]);
    const values = x.arraySync();
    const expected = values.map((image) =>
      image.map((row) =>
        row.map((pixel) =>
          pixel.map((value, c) => {
            const near = pixel.slice(Math.max(0, c - 2), c + 3).reduce((sum, other) => sum + other * other, 0);
            return value / (1 + 0.3 * near) ** 0.75;
          }),
        ),
      ),
    );
    expect(farthest(model.predict(x) as tf.Tensor, tf.tensor4d(expected))).toBeLessThan(1e-4);
    const composed = (x: tf.Tensor): tf.Tensor => composedLocalResponseNorm(x as tf.Tensor4D, 2, 1, 0.3, 0.75);
    const slope = tf.grad((x) => model.apply(x) as tf.Tensor)(x);
    expect(farthest(slope, tf.grad(composed)(x))).toBeLessThan(1e-3);
  });

  it("group norm leaves each group with mean 0 and variance 1", () => {
    const x = tf.randomNormal([2, 4, 4, 6], 3, 2) as tf.Tensor4D;
    const y = tf.reshape(modelOf(groupNorm(3), [4, 4, 6]).predict(x) as tf.Tensor, [2, 16, 3, 2]);
    const { mean, variance } = tf.moments(y, [1, 3]);
    expect(farthest(mean, tf.zeros([2, 3]))).toBeLessThan(1e-4);
    expect(farthest(variance, tf.ones([2, 3]))).toBeLessThan(1e-2);
  });

  it("normalization subtracts its mean and divides by its deviation", () => {
    const model = modelOf(normalization(), [1, 1, 2]);
    model.layers[1]?.setWeights([tf.tensor1d([1, 2]), tf.tensor1d([4, 9]), tf.scalar(3, "int32")]);
    expect(model.countParams()).toBe(5);
    const y = model.predict(tf.tensor4d([5, 8], [1, 1, 1, 2])) as tf.Tensor;
    expect(farthest(y, tf.tensor4d([2, 2], [1, 1, 1, 2]))).toBeLessThan(1e-5);
  });

  it("channels of zeros stand before and after", () => {
    const y = modelOf(padChannels(1, 2), [1, 1, 2]).predict(tf.tensor4d([7, 8], [1, 1, 1, 2])) as tf.Tensor;
    expect([...y.dataSync()]).toEqual([0, 7, 8, 0, 0]);
  });

  it("channels are taken in order, and shuffled between groups", () => {
    const x = tf.tensor4d([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15], [1, 1, 2, 6]);
    const some = modelOf(sliceChannels(2, 3), [1, 2, 6]).predict(x) as tf.Tensor;
    expect([...some.dataSync()]).toEqual([2, 3, 4, 12, 13, 14]);
    const shuffled = modelOf(shuffleChannels(2), [1, 2, 6]).predict(x) as tf.Tensor;
    expect([...shuffled.dataSync()]).toEqual([0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15]);
    expect(() => modelOf(sliceChannels(4, 3), [1, 2, 6])).toThrow("channels 4 to 6");
    expect(() => modelOf(shuffleChannels(4), [1, 2, 6])).toThrow("4 groups");
  });

  it("dropout keeps the mean, draws anew at each call, repeats from its seed, and rests at inference", () => {
    const x = tf.ones([64, 8, 8, 4]);
    const make = (): tfl.LayersModel => modelOf(dropout(0.25), [8, 8, 4]);
    const [one, two] = [make(), make()];
    const first = one.apply(x, { training: true }) as tf.Tensor;
    const second = one.apply(x, { training: true }) as tf.Tensor;
    expect(tf.mean(first).dataSync()[0]).toBeCloseTo(1, 1);
    expect(tf.mean(tf.cast(tf.equal(first, 0), "float32")).dataSync()[0]).toBeCloseTo(0.25, 1);
    expect(farthest(first, second)).toBeGreaterThan(1);
    expect(farthest(first, two.apply(x, { training: true }) as tf.Tensor)).toBe(0);
    expect(farthest(one.apply(x) as tf.Tensor, x)).toBe(0);
  });

  it("dropout of whole samples keeps or drops each", () => {
    const y = modelOf(dropout(0.5, { perSample: true }), [3, 3, 2]).apply(tf.ones([32, 3, 3, 2]), {
      training: true,
    }) as tf.Tensor;
    const sums = tf.sum(y, [1, 2, 3]).dataSync();
    expect(new Set(sums)).toEqual(new Set([0, 36]));
  });

  it("layers leave no tensors behind", () => {
    const block = chain({
      conv: conv(8, 3, { padding: 1, stride: 2, groups: 2 }),
      lrn: localResponseNorm(),
      gn: groupNorm(2),
      drop: dropout(0.5),
      pad: padChannels(1, 1),
      some: sliceChannels(1, 8),
      shuffled: shuffleChannels(4),
    });
    const x = tf.ones([1, 6, 6, 4]);
    const once = (): void => {
      const model = modelOf(block, [6, 6, 4]);
      const step = (): void =>
        tf.tidy(() => void tf.variableGrads(() => tf.sum(model.apply(x, { training: true }) as tf.Tensor)));
      step();
      const between = tf.memory().numTensors;
      step();
      expect(tf.memory().numTensors).toBe(between);
      model.dispose();
    };
    // What an engine keeps from the first use of a kernel, for all models, is made before.
    once();
    const before = tf.memory().numTensors;
    once();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  it("preprocessing scales, reorders, subtracts and divides, in this order", () => {
    const pixels = tf.tensor4d([255, 0, 51], [1, 1, 1, 3], "int32");
    const y = preprocess(pixels, { scale: 1 / 255, order: "bgr", mean: [0.1, 0.2, 0.3], std: [0.5, 1, 2] });
    [0.2, -0.2, 0.35].forEach((value, i) => expect(y.dataSync()[i]).toBeCloseTo(value, 5));
    expect(() => preprocess(pixels, { mean: [1, 2] })).toThrow(
      "preprocess: expected images of 2 channels, as mean has, got 3",
    );
  });
});
