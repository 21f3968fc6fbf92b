import { useEngine } from "@convkit/engine";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importModel, loadModel, loadWeights, openWeights, saveModel, saveNpy, verifySaved } from "../src/index.ts";
import { AxesBatchNormalization } from "../src/layers/axes-batch-norm.ts";
import { LocallyConnected2D } from "../src/layers/locally-connected.ts";
import { RenormBatchNormalization } from "../src/layers/norms.ts";
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
  "rare_operations",
  "layer_scale",
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

/** Models that have each layer which goes into an ONNX file. */
const ofOnnx = [
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
] as const satisfies readonly (typeof models)[number][];

/** Layers of Keras 2 that Keras 3 has not, and writes other layers for. */
const ofKeras2 = (): Readonly<Record<string, tfl.layers.Layer>> => ({
  locally_connected: new LocallyConnected2D({
    name: "local",
    filters: 3,
    kernelSize: [3, 2],
    strides: [2, 1],
    activation: "relu",
  }),
  locally_connected_same: new LocallyConnected2D({
    name: "local",
    filters: 2,
    kernelSize: [4, 3],
    strides: [3, 1],
    padding: "same",
    implementation: 3,
    dataFormat: "channelsFirst",
  }),
  normalized_axes: new AxesBatchNormalization({ name: "norm", axis: [1, -1], epsilon: 1e-2 }),
  renormalized: new RenormBatchNormalization({ name: "renorm", axis: -1, epsilon: 1e-2 }),
});

async function saveArray(path: string, tensor: tf.Tensor): Promise<void> {
  await saveNpy(path, { shape: tensor.shape, data: tensor.dataSync<"float32">() as Float32Array });
}

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe.skipIf(peerPython === undefined)("models that Keras 3 saved", { shuffle: false }, () => {
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

  it("run in ONNX Runtime after we wrote them as ONNX", async () => {
    for (const name of ofOnnx) {
      const model = await loadModel(join(folder, `${name}.keras`));
      await saveModel(model, join(folder, `${name}.onnx`));
      model.dispose();
    }
    const differences = JSON.parse(runPython("onnx-check.py", folder, ...ofOnnx)) as Record<string, number | string>;
    expect(Object.keys(differences)).toHaveLength(ofOnnx.length);
    expect(Object.entries(differences).filter(([, difference]) => !(Number(difference) < 2e-5))).toEqual([]);
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

  it("operations go into an .h5 for Keras 2 as layers that call TensorFlow", async () => {
    for (const name of ["pieces", "roots", "gelus"]) {
      const model = await loadModel(join(folder, `${name}.keras`));
      await saveModel(model, join(folder, `${name}.keras2.h5`), { keras: 2 });
      const again = await loadModel(join(folder, `${name}.keras2.h5`));
      expect(await worstDifference(again, join(folder, name))).toBeLessThan(2e-5);
      for (const each of [model, again]) each.dispose();
    }
    const rare = await loadModel(join(folder, "rare_operations.keras"));
    await expect(saveModel(rare, join(folder, "rare.h5"), { keras: 2 })).rejects.toThrow(
      /Keras 2 has no function for the operation \w+: write a \.keras file/,
    );
    await expect(saveModel(rare, join(folder, "rare.onnx"), { keras: 2 })).rejects.toThrow(
      /expected keras: 2 and a path/,
    );
    rare.dispose();
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
      "rare_operations",
      "layer_scale",
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
    for (const [name, layer] of Object.entries(ofKeras2())) {
      const image = tfl.input({ shape: [12, 12, 4] });
      const model = tfl.model({ inputs: image, outputs: layer.apply(image) as tfl.SymbolicTensor });
      for (const [index, weight] of model.weights.entries())
        weight.write(tf.randomUniform(weight.shape as number[], 0.2, 1, "float32", index));
      const x = tf.randomNormal([2, 12, 12, 4], 0, 1, "float32", 9);
      await saveArray(join(folder, `${name}.x.npy`), x);
      await saveArray(join(folder, `${name}.y.npy`), model.predict(x) as tf.Tensor);
      for (const extension of ["keras", "weights.h5"])
        await saveModel(model, join(folder, `${name}.ours.${extension}`));
      expect(
        await worstDifference(await loadModel(join(folder, `${name}.ours.keras`)), join(folder, name)),
      ).toBeLessThan(2e-5);
    }
    const names = [...models, ...Object.keys(ofKeras2())];
    const differences = JSON.parse(runPython("keras-check.py", folder, ...names)) as Record<string, number | string>;
    const wrong = Object.entries(differences).filter(([, difference]) => !(Number(difference) < 2e-5));
    expect(wrong).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(
      3 * models.length - fromKeras.length + 2 * Object.keys(ofKeras2()).length,
    );
  });
});
