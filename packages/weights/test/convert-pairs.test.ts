import type { LayersModel } from "@tensorflow/tfjs-layers";
import { availableEngines, useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { peerPython, runPeer } from "@convkit/testing";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, loadWeights, saveModel } from "../src/index.ts";
import type { ModelFormat } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-pairs-"));
const at = (name: string): string => join(folder, name);
const lenet = (seed: number): LayersModel => createModel("lenet5", { seed });
const hasTensorflow = (await availableEngines()).some((name) => name !== "wasm");

/** Files of the formats that are read, and whether they hold the architecture too. */
const sources: readonly (readonly [name: string, whole: boolean, format?: ModelFormat])[] = [
  ["from.keras", true],
  ["from.h5", true],
  ["from-tfjs", true, "tfjs"],
  ["from.weights.h5", false],
  ["from.safetensors", false],
  ...(peerPython === undefined ? [] : [["from.pth", false] as const]),
];
/** What is written, and how far its outputs may be from the model's: ONNX Runtime, TensorFlow and stock tfjs add in another order. */
const targets: readonly (readonly [name: string, limit: number, format?: ModelFormat])[] = [
  ["to.keras", 0],
  ["to.h5", 0],
  ["to-tfjs", 1e-6, "tfjs"],
  ["to.weights.h5", 0],
  ["to.safetensors", 0],
  ["to.onnx", 1e-6],
  ...(hasTensorflow ? [["to-saved", 1e-6, "savedmodel"] as const] : []),
];

/**
 * A file is read into a model before anything is written, so that a pair is its two halves: every source with one target, every
 * target with one whole model and one that takes the weights alone. `CONVKIT_SUITES=1` runs every pair.
 */
const all = process.env["CONVKIT_SUITES"] === "1";
const pairs = sources.flatMap(([from, whole], row) =>
  targets
    .filter((_, column) => all || row === 0 || from === "from.safetensors" || column === row % targets.length)
    .map(([to, limit, format]) => [from, to, limit, format, whole] as const),
);

describe("convert, from the formats that are read to those that are written", () => {
  beforeAll(async () => {
    await useEngine();
    const model = lenet(1);
    for (const [name, , format] of sources)
      if (!name.endsWith(".pth")) await saveModel(model, at(name), format === undefined ? {} : { format });
    model.dispose();
    if (peerPython !== undefined)
      runPeer("import sys, torch, safetensors.torch as st; torch.save(st.load_file(sys.argv[1]), sys.argv[2])", [
        at("from.safetensors"),
        at("from.pth"),
      ]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(targets.map(([to, limit, format]) => ({ to, limit, format })))(
    "a sequential model that tfjs made to $to",
    async ({ to, limit, format }) => {
      const { conv2d, flatten, dense } = tfl.layers;
      const convolution = conv2d({ filters: 3, kernelSize: 3, inputShape: [8, 8, 2], activation: "relu" });
      const model = tfl.sequential({ layers: [convolution, flatten(), dense({ units: 4 })] });
      const report = await convert(undefined, at(`sequential-${to}`), {
        model,
        verify: true,
        ...(format && { format }),
      });
      expect(report.worst).toBeLessThanOrEqual(limit);
      expect(report.tensors).toBe(4);
      model.dispose();
    },
  );

  it.each(pairs)("%s to %s", async (from, to, limit, format, whole) => {
    const original = lenet(1);
    // Other weights than the file's: were they not loaded, the model would not be the one that was saved.
    const model = whole ? undefined : lenet(2);
    const options = { verify: true, ...(format !== undefined && { format }), ...(model !== undefined && { model }) };
    const { worst, weights } = await convert(at(from), at(to), options);
    expect(worst).toBeLessThanOrEqual(limit);
    expect(weights.map(({ shape }) => shape)).toEqual(original.weights.map(({ shape }) => shape));
    if (!/onnx|saved/.test(to)) {
      const again = lenet(3);
      await loadWeights(again, at(to));
      expect(again.getWeights().map((weight) => weight.dataSync())).toEqual(
        original.getWeights().map((weight) => weight.dataSync()),
      );
      again.dispose();
    }
    model?.dispose();
    original.dispose();
  });
});
