import { readFileSync } from "node:fs";
import { features, withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { isComputedInTests } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

/** What the peer says of a network at 97x131: neither square nor a multiple of 32. */
interface Golden {
  high: number;
  gain?: number;
  /** Base64 of float32: the first eight logits of two images. Missing for large networks whose code a smaller one shares. */
  logits?: string;
  /** By stride: the layer that ends the stage, and the shape of its map. */
  maps: Record<string, [layer: string, shape: [number, number, number]]>;
}

const size = [97, 131, 3] as const;
const golden = JSON.parse(readFileSync(new URL("golden-odd-sizes.json", import.meta.url), "utf8")) as Record<
  ModelName,
  Golden
>;
const names = Object.keys(golden) as ModelName[];

/** Networks without a peer, by their tables: the layer that ends each stage at the architecture's own size. */
const own: Partial<Record<ModelName, Record<number, string>>> = {
  lenet5: { 1: "conv1", 2: "conv2", 4: "pool2" },
  "simple-cnn": { 1: "conv1", 2: "pool1" },
  "inception-cifar10": { 2: "concat" },
  "resnet50-small": { 2: "activation", 4: "relu2c", 8: "relu3d", 16: "relu4f", 32: "relu5c" },
  "residual-stack": { 2: "block1", 4: "block3" },
  "mini-xception": { 1: "conv", 2: "block1", 4: "block2", 8: "block3", 16: "block4", 32: "block5" },
  "vgg16-inception": {
    1: "block1_conv2_act",
    2: "block2_conv2_act",
    4: "block3_i3",
    8: "block4_conv3_act",
    16: "block5_i3",
    32: "block5_pool",
  },
  googlenet: { 2: "conv1", 4: "norm2", 8: "3b", 16: "4e", 32: "5b" },
  "resnet20-cifar10": { 1: "layer1.b2.out", 2: "layer2.b2.out", 4: "layer3.b2.out" },
  "resnet32-cifar10": { 1: "layer1.b4.out", 2: "layer2.b4.out", 4: "layer3.b4.out" },
  "resnet44-cifar10": { 1: "layer1.b6.out", 2: "layer2.b6.out", 4: "layer3.b6.out" },
  "resnet56-cifar10": { 1: "layer1.b8.out", 2: "layer2.b8.out", 4: "layer3.b8.out" },
  "resnet110-cifar10": { 1: "layer1.b17.out", 2: "layer2.b17.out", 4: "layer3.b17.out" },
};

beforeAll(async () => {
  await useEngine("auto");
});

afterEach(() => {
  tf.disposeVariables();
});

it("every network is covered", () => {
  expect([...names, ...Object.keys(own)].toSorted()).toEqual(Object.keys(zoo).toSorted());
});

describe.each(names)("%s at 97x131", (name) => {
  const { high, gain, logits, maps } = golden[name];
  const strides = Object.keys(maps).map(Number);

  it.runIf(isComputedInTests(name))("ends its stages with the peer's layers, of the peer's shapes", () => {
    // With the top, too: what comes behind the last map is not taken for one.
    for (const includeTop of [false, true]) {
      const model = withoutDrawing(() => createModel(name, { input: size, includeTop }));
      const { outputs } = features(model, strides);
      expect(outputs.map(({ sourceLayer, shape }) => [sourceLayer.name, shape.slice(1)])).toEqual(Object.values(maps));
      model.dispose();
    }
  });

  it.runIf(logits !== undefined)("has the peer's logits, with random weights and statistics", () => {
    const model = withoutDrawing(() => createModel(name, { input: size, logits: true }));
    setSeededWeights(model, gain!);
    const got = tf.slice(model.predict(seededInput([...size], high)) as tf.Tensor2D, [0, 0], [2, 8]).dataSync();
    const bytes = Buffer.from(logits!, "base64");
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - (got[i] as number))));
    const scale = Math.max(1, ...expected.map(Math.abs));
    expect(worst / scale).toBeLessThan(1e-4);
  });
});

describe.each(Object.entries(own) as [ModelName, Record<number, string>][])("%s", (name, ends) => {
  it("ends its stages as its table says", () => {
    for (const includeTop of [false, true]) {
      const model = withoutDrawing(() => createModel(name, { includeTop }));
      const { outputs } = features(model, Object.keys(ends).map(Number));
      expect(outputs.map(({ sourceLayer }) => sourceLayer.name)).toEqual(Object.values(ends));
      model.dispose();
    }
  });
});

describe.each([
  ["resnet50", 32],
  ["mobilenet-v2", 32],
  ["efficientnet-b0", 32],
  ["resnet18", 1],
  ["alexnet", 63],
] as const)("%s for images of any size", (name, smallest) => {
  it.each([
    [97, 131],
    [96, 64],
    [smallest + 33, smallest],
  ])("equals the network built for %ix%i", (height, width) => {
    const input = [height, width, 3] as const;
    const [any, fixed] = withoutDrawing(() => [
      createModel(name, { input: [null, null, 3] }),
      createModel(name, { input }),
    ]);
    const gain = golden[name].gain!;
    setSeededWeights(any, gain);
    setSeededWeights(fixed, gain);
    const x = seededInput([...input], golden[name].high);
    const [a, b] = [any, fixed].map((model) => model.predict(x) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-6);
  });
});

it.each([
  ["vgg16", "flatten"],
  ["lenet5", "flatten"],
] as const)("%s refuses images of any size in one sentence, unless its top is left out", (name, layer) => {
  expect(() => createModel(name, { input: [null, 64, 3] })).toThrow(
    new RegExp(`^${layer}: expected a map of known size to flatten, got anyx`),
  );
  expect(createModel(name, { input: [null, null, 3], includeTop: false }).outputs[0]?.shape.slice(1, 3)).toEqual([
    null,
    null,
  ]);
});
