import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { isRunInSlowTests, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";
import { writeArrays } from "./peers/write-arrays.ts";

const layerModels = [
  "convolutions",
  "merges",
  "powers",
  "activations",
  "pools",
  "augmentations",
  "shapes",
  "normalization",
  "normalization_given",
  "sequential",
  "nested",
];
const names = (Object.keys(zoo) as ModelName[]).filter(isRunInSlowTests);
/** As many at a time as may lie on the disk together. */
const groups = Array.from({ length: Math.ceil(names.length / 16) }, (_, index) =>
  names.slice(16 * index, 16 * index + 16),
);

describe.skipIf(peerPython === undefined)("ONNX Runtime", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("runs every layer that Keras models bring", async () => {
    runPython("keras-layers.py", folder);
    for (const name of layerModels) {
      const model = await loadModel(join(folder, `${name}.keras`));
      await saveModel(model, join(folder, `${name}.onnx`));
      model.dispose();
    }
    expect(wrong(layerModels, 2e-5)).toEqual([]);
  });

  it.each(groups.map((group) => [group.join(", "), group] as const))("runs %s", async (_, group) => {
    for (const name of group) {
      const { input, smallest } = zoo[name];
      const size = Math.min(input[0], Math.max(40, smallest));
      const model = createModel(name, { input: [size, size, input[2]], seed: 1 });
      const x = tf.randomUniform([2, size, size, input[2]], -1, 1, "float32", 3);
      const y = model.predict(x) as tf.Tensor;
      writeArrays(join(folder, name), x, y);
      await saveModel(model, join(folder, `${name}.onnx`));
      tf.dispose([x, y]);
      model.dispose();
    }
    expect(wrong(group, 1e-5)).toEqual([]);
    for (const name of group) rmSync(join(folder, `${name}.onnx`));
  });

  function wrong(all: readonly string[], limit: number): (readonly [string, number | string])[] {
    const differences = JSON.parse(runPython("onnx-check.py", folder, ...all)) as Record<string, number | string>;
    expect(Object.keys(differences)).toHaveLength(all.length);
    return Object.entries(differences).filter(([, difference]) => !(Number(difference) < limit));
  }
});
