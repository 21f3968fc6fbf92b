import { useEngine } from "@convkit/engine";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWeights, openWeights } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-shards-"));

/** A safetensors file of float32 tensors, whose numbers count up from `first`. */
function write(file: string, first: number, shapes: Readonly<Record<string, readonly number[]>>): void {
  let at = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F32", shape, data_offsets: [begin, at] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Float32Array.from({ length: at / 4 }, (_, i) => first + i);
  writeFileSync(join(folder, file), Buffer.concat([length, header, Buffer.from(data.buffer)]));
}

function index(file: string, weights: Readonly<Record<string, string>>): string {
  writeFileSync(join(folder, file), JSON.stringify({ metadata: { total_size: 1 }, weight_map: weights }));
  return join(folder, file);
}

const network = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 2, name: "conv1", inputShape: [3], useBias: false }),
      tfl.layers.dense({ units: 1, name: "fc" }),
    ],
  });

describe("weights in several files", () => {
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("load by their index, and under two names in front", async () => {
    write("a.safetensors", 0, { "backbone.conv1.weight": [2, 3] });
    write("b.safetensors", 10, { "head.fc.bias": [1], "head.fc.weight": [1, 2] });
    const path = index("model.safetensors.index.json", {
      "backbone.conv1.weight": "a.safetensors",
      "head.fc.weight": "b.safetensors",
      "head.fc.bias": "b.safetensors",
    });
    const model = network();
    await loadWeights(model, path);
    // PyTorch's [2, 3] is transposed.
    expect(model.getWeights().map((weight) => [...weight.dataSync()])).toEqual([[0, 3, 1, 4, 2, 5], [11, 12], [10]]);
  });

  it("are refused where two tensors could be one weight, or where the index is wrong", async () => {
    write("two.safetensors", 0, {
      "a.conv1.weight": [2, 3],
      "b.conv1.weight": [2, 3],
      "c.fc.weight": [1, 2],
      "c.fc.bias": [1],
    });
    await expect(loadWeights(network(), join(folder, "two.safetensors"))).rejects.toThrow(/nothing was changed/);
    await expect(openWeights(index("up.index.json", { x: "../a.safetensors" }))).rejects.toThrow(
      /up.index.json, weight_map: expected the names of files beside the index/,
    );
    await expect(openWeights(index("none.index.json", { x: "a.safetensors" }))).rejects.toThrow(
      /none.index.json, weight_map: "x" is not in a.safetensors/,
    );
  });
});
