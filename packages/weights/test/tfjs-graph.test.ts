import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStockTfjs } from "../src/convert/stock-tfjs.ts";
import { convert, saveModel } from "../src/index.ts";
import { registerImportLayers } from "../src/layers/register.ts";
import { Operation } from "../src/operations/operation.ts";

describe("graph models, run by stock tfjs in a process of its own", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-graph-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  const worst = (a: tf.Tensor, b: tf.Tensor): number => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;

  // Local response normalization, channels that are padded, grouped and depthwise convolutions: stock layers have none.
  it.each([
    ["lenet5", {}],
    ["resnet20-cifar10", {}],
    ["squeezenet1-1", { input: [48, 48, 3] }],
    ["mobilenet-v2", { input: [32, 32, 3] }],
  ] as const)("%s gives the same numbers at two batch sizes", async (name, options) => {
    const model = createModel(name, { ...options, seed: 1 } as never);
    await saveModel(model, at(name), { format: "tfjs-graph" });
    const runner = openStockTfjs(at(name), "tfjs-graph");
    for (const batch of [1, 3]) {
      const x = tf.randomUniform([batch, ...(model.inputs[0]!.shape.slice(1) as number[])], -1, 1, "float32", 3);
      const [y] = await runner.run([x]);
      expect(y!.shape[0]).toBe(batch);
      expect(worst(y!, model.predict(x) as tf.Tensor)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it("sorts, and gives the places and the largest elements", async () => {
    registerImportLayers();
    const input = tfl.input({ shape: [4] });
    const of = (name: string, op: string, values: object): tfl.SymbolicTensor[] =>
      [new Operation({ name, op, values: { x: { slot: 0 }, ...values } }).apply(input)].flat() as tfl.SymbolicTensor[];
    const outputs = [...of("sort", "sort", {}), ...of("places", "argsort", {}), ...of("largest", "topk", { k: 2 })];
    await saveModel(tfl.model({ inputs: input, outputs }), at("sort"), { format: "tfjs-graph" });
    const found = await openStockTfjs(at("sort"), "tfjs-graph").run([tf.tensor2d([[3, -1, 4, 1]])]);
    expect(found.map((y) => [...y.dataSync()])).toEqual([
      [-1, 1, 3, 4],
      [1, 3, 0, 2],
      [4, 3],
      [2, 0],
    ]);
  });

  it("quantized weights take a quarter of the bytes, and give what the rounded weights give", async () => {
    const dense = tfl.layers.dense({ units: 2, inputShape: [3], useBias: false });
    const model = tfl.sequential({ layers: [dense] });
    // Whole steps of 2 / 255 from -1 on, so that rounding changes nothing.
    dense.setWeights([
      tf.tensor2d(
        [-1, 1, 49, -51, 101, 255 - 128].map((step) => (step * 2) / 255),
        [3, 2],
      ),
    ]);
    const exact = await saveModel(model, at("exact"), { format: "tfjs-graph" });
    for (const [quantize, limit] of [
      ["uint8", 1e-2],
      ["uint16", 1e-4],
      ["float16", 2e-3],
    ] as const) {
      await saveModel(model, at(quantize), { format: "tfjs-graph", quantize });
      const x = tf.tensor2d([1, -2, 3], [1, 3]);
      const [y] = await openStockTfjs(at(quantize), "tfjs-graph").run([x]);
      expect(worst(y!, model.predict(x) as tf.Tensor)).toBeLessThan(limit);
      const { weightsManifest } = JSON.parse(readFileSync(join(at(quantize), "model.json"), "utf8")) as {
        weightsManifest: { weights: { quantization?: { dtype: string } }[] }[];
      };
      expect(weightsManifest[0]!.weights.some(({ quantization }) => quantization?.dtype === quantize)).toBe(true);
    }
    expect(exact.needs).toBeUndefined();
  });

  it("the report of a layers model names what stock tfjs lacks, and convert verifies both kinds", async () => {
    const plain = createModel("lenet5", { seed: 1 });
    const padded = createModel("resnet20-cifar10", { seed: 1 });
    expect((await saveModel(plain, at("plain"), { format: "tfjs" })).needs).toBeUndefined();
    expect((await saveModel(padded, at("padded"), { format: "tfjs" })).needs).toEqual(["PadChannels"]);
    expect((await convert(undefined, at("verified"), { model: plain, format: "tfjs-graph", verify: true })).holds).toBe(
      true,
    );
    expect(
      (await convert(undefined, at("verified-layers"), { model: plain, format: "tfjs", verify: true })).holds,
    ).toBe(true);
    const inStock = { model: padded, format: "tfjs", stock: true, verify: true } as const;
    expect(await convert(undefined, at("verified-stock"), inStock)).toMatchObject({ stock: true, holds: true });
    plain.dispose();
    padded.dispose();
  });
});
