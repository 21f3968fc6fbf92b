import { useEngine } from "@convkit/engine";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importModel, loadModel, loadWeights, openWeights, saveModel, verifySaved } from "../src/index.ts";
import { worstDifference } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

const models = [
  "convolutions",
  "merges",
  "powers",
  "activations",
  "pools",
  "augmentations",
  "shapes",
  "dilations",
  "bends",
  "operations",
  "roots",
  "gelus",
  "pieces",
  "predictions",
  "normalization",
  "normalization_of_all",
  "normalization_of_rows",
  "normalization_back",
  "normalization_given",
  "normalization_given_back",
  "sequential",
  "nested",
] as const;

describe.skipIf(peerPython === undefined)("models that Keras 3 saved", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-keras-"));
  beforeAll(async () => {
    await useEngine();
    runPython("keras-layers.py", folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe.each(models)("%s", (name) => {
    it.each(["h5", "keras"])("predicts the same from .%s", async (extension) => {
      // Keras itself cannot write some layers as .h5.
      if (!existsSync(join(folder, `${name}.${extension}`))) return;
      const model = await loadModel(join(folder, `${name}.${extension}`));
      expect(await worstDifference(model, join(folder, name))).toBeLessThan(2e-5);
      model.dispose();
    });

    it("predicts the same from .weights.h5", async () => {
      const file = await openWeights(join(folder, `${name}.keras`));
      const model = importModel(file.path, file.config!);
      file.close();
      await loadWeights(model, join(folder, `${name}.weights.h5`));
      expect(await worstDifference(model, join(folder, name))).toBeLessThan(2e-5);
      model.dispose();
    });
  });

  it.each([
    "convolutions",
    "dilations",
    "bends",
    "gelus",
    "pieces",
    "activations",
    "predictions",
    "normalization_of_rows",
  ])("%s comes back as it was from .keras and tfjs", async (name) => {
    const model = await loadModel(join(folder, `${name}.keras`));
    mkdirSync(join(folder, name));
    for (const [path, options] of [
      ["again.keras", {}],
      ["again", { format: "tfjs" }],
    ] as const) {
      const { worst } = await verifySaved(model, await saveModel(model, join(folder, name, path), options));
      expect(worst).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it("refuses to train where a layer's work is known in prediction only", async () => {
    const model = await loadModel(join(folder, "predictions.keras"));
    const x = tf.zeros([1, 12, 12, 4]);
    expect(() => model.apply(x, { training: true })).toThrow(
      /expected no training, because Keras' RandomGaussianBlur is not computed here/,
    );
    tf.dispose(x);
    model.dispose();
  });

  it("load into Keras again after we wrote them", async () => {
    // Keras reads operations, and several axes, from .keras alone.
    const fromKeras: readonly string[] = [
      "powers",
      "operations",
      "roots",
      "gelus",
      "pieces",
      "bends",
      "normalization_of_all",
      "normalization_of_rows",
    ];
    for (const name of models) {
      const model = await loadModel(join(folder, `${name}.keras`));
      if (fromKeras.includes(name))
        await expect(saveModel(model, join(folder, `${name}.ours.h5`))).rejects.toThrow(/write a \.keras file/);
      for (const extension of fromKeras.includes(name) ? ["keras", "weights.h5"] : ["h5", "keras", "weights.h5"]) {
        await saveModel(model, join(folder, `${name}.ours.${extension}`));
      }
      model.dispose();
    }
    const differences = JSON.parse(runPython("keras-check.py", folder, ...models)) as Record<string, number | string>;
    const wrong = Object.entries(differences).filter(([, difference]) => !(Number(difference) < 2e-5));
    expect(wrong).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(3 * models.length - fromKeras.length);
  });
});
