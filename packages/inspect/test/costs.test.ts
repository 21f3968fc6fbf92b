import { readFileSync } from "node:fs";
import { activation, chain, conv, dense, depthwiseConv, flatten, maxPool, network, summarize } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { costs, costsCsv, machinePeaks, roofline } from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

interface Golden {
  readonly params: number;
  readonly macs: number;
  readonly outputBytes: number;
  readonly layers: {
    readonly type: string;
    readonly output: number[];
    readonly params: number;
    readonly macs: number;
  }[];
}
const golden = JSON.parse(readFileSync(new URL("golden/costs.json", import.meta.url), "utf8")) as Golden;

const plain = { bias: false, padding: "valid" } as const;
/** The network of tools/golden/inspect-costs.py. */
const block = chain({
  conv1: conv(8, 3, { ...plain, stride: 2, padding: 1 }),
  relu1: activation("relu"),
  conv2: conv(12, [1, 5], plain),
  relu2: activation("relu"),
  pool: maxPool(2, 2, { padding: "valid" }),
  conv3: depthwiseConv(3, { ...plain, padding: "same" }),
  flat: flatten(),
  top: dense(10, { bias: false }),
});

describe.each(engines)("costs (%s)", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    tf.env().set("IS_TEST", false);
  });

  it("equal torchinfo's, layer by layer and in sum, and those of summarize", async () => {
    const model = network([32, 40, 3], block);
    const found = await costs(model);
    const layers = found.layers.filter(({ type }) => type !== "InputLayer" && type !== "ZeroPadding2D");
    expect(layers.map(({ params, macs }) => [params, macs])).toEqual(
      golden.layers.map(({ params, macs }) => [params, macs]),
    );
    for (const [i, { output }] of golden.layers.entries()) {
      const [, channels, ...sizes] = output;
      expect(layers[i]!.outputShape.slice(1)).toEqual(sizes.length === 0 ? [channels] : [...sizes, channels]);
      expect(layers[i]!.activationBytes).toBe(4 * output.reduce((a, b) => a * b, 1));
    }
    expect([found.total.params, found.total.macs]).toEqual([golden.params, golden.macs]);
    const withWeights = layers.filter(({ params }) => params > 0);
    expect(2 * withWeights.reduce((sum, { activationBytes }) => sum + activationBytes!, 0)).toBe(golden.outputBytes);
    const { params, macs, memory } = summarize(model);
    expect(found.total).toEqual({ params: params.total, macs, activationBytes: memory.activations });
    // conv3 reads and writes 12 maps of 8 x 8, and reads 9 weights for each.
    expect(layers[5]!.movedBytes).toBe(4 * (2 * 12 * 64 + 12 * 9));
  });

  it("times every layer, also in a nested model that is used twice, whose weights count once", async () => {
    const inner = network([32, 40, 3], block, { name: "inner" });
    const input = tfl.input({ shape: [32, 40, 3] });
    const twice = [inner.apply(input), inner.apply(input)] as tfl.SymbolicTensor[];
    const model = tfl.model({ inputs: input, outputs: tfl.layers.add().apply(twice) as tfl.SymbolicTensor });
    const images = tf.zeros<tf.Rank.R4>([2, 32, 40, 3]);
    const before = tf.memory().numTensors;
    const found = await costs(model, { images, runs: 1 });
    expect(tf.memory().numTensors).toBe(before);
    expect(found.layers.filter(({ layer }) => layer === "inner/conv2").map(({ params }) => params)).toEqual([480, 0]);
    expect([found.images, found.total.params, found.total.macs]).toEqual([2, golden.params, 2 * golden.macs]);
    expect(found.layers.filter(({ macs }) => macs! > 0).every(({ seconds }) => seconds! > 0)).toBe(true);
    const sum = found.layers.reduce((total, { seconds }) => total + seconds!, 0);
    expect(found.total.seconds).toBeCloseTo(sum, 12);
    const row = found.layers.find(({ layer }) => layer === "inner/top")!;
    expect(costsCsv(found).split("\n")).toContain(
      `inner/top,Dense,10,7680,7680,40,${4 * (768 + 10 + 7680)},${row.seconds}`,
    );
  });

  it("times networks of several inputs and of vectors, also nested, each layer with the input that it takes", async () => {
    const [a, b] = [tfl.input({ shape: [6], name: "a" }), tfl.input({ shape: [4], name: "b" })];
    const first = tfl.layers.dense({ units: 5, name: "first" }).apply(a);
    const second = tfl.layers.dense({ units: 3, name: "second" }).apply(b);
    const joined = tfl.layers.concatenate().apply([first, second] as tfl.SymbolicTensor[]) as tfl.SymbolicTensor;
    const inner = tfl.model({ inputs: [a, b], outputs: joined, name: "inner" });
    const inputs = [tfl.input({ shape: [6] }), tfl.input({ shape: [4] })];
    const outer = tfl.model({ inputs, outputs: inner.apply(inputs) as tfl.SymbolicTensor });
    const batches = [tf.ones([2, 6]), tf.ones([2, 4])];
    const before = tf.memory().numTensors;
    for (const [model, prefix] of [
      [inner, ""],
      [outer, "inner/"],
    ] as const) {
      const found = await costs(model, { images: batches, runs: 1 });
      const row = (layer: string) => found.layers.find((each) => each.layer === `${prefix}${layer}`)!;
      expect([found.images, row("first").macs, row("second").macs]).toEqual([2, 30, 12]);
      expect(row("first").seconds! > 0 && row("second").seconds! > 0).toBe(true);
    }
    expect(tf.memory().numTensors).toBe(before);
    for (const wrong of [batches[0]!, batches.toReversed(), [batches[0]!, tf.ones([3, 4])]])
      await expect(costs(inner, { images: wrong })).rejects.toThrow(/expected a batch for each input of inner/);
  });

  it("measures a machine that computes and moves", async () => {
    const { macsPerSecond, bytesPerSecond } = await machinePeaks();
    expect(macsPerSecond).toBeGreaterThan(1e7);
    expect(bytesPerSecond).toBeGreaterThan(1e7);
  });
});

it("a layer's roof is the peak, or what the memory feeds it", () => {
  const layer = { type: "Conv2D", outputShape: [null, 1], params: 0, activationBytes: 4, seconds: 0.5 };
  const layers = [
    { ...layer, layer: "dense", macs: 100, movedBytes: 400 },
    { ...layer, layer: "conv", macs: 8000, movedBytes: 400 },
    { ...layer, layer: "relu", macs: 0, movedBytes: 400 },
  ];
  const total = { params: 0, macs: 0, activationBytes: 0 };
  const peaks = { macsPerSecond: 50_000, bytesPerSecond: 20_000 };
  expect(roofline({ model: "m", layers, total, images: 2 }, peaks)).toEqual([
    { layer: "dense", intensity: 0.25, macsPerSecond: 400, roof: 5000, boundBy: "memory" },
    { layer: "conv", intensity: 20, macsPerSecond: 32_000, roof: 50_000, boundBy: "compute" },
  ]);
  expect(() => roofline({ model: "m", layers, total, images: 0 }, peaks)).toThrow("costs with times");
});
