import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";

test("files of a network with stochastic depth and DropBlock predict the same", async () => {
  await useEngine(engines[0] ?? "wasm");
  const folder = await mkdtemp(join(tmpdir(), "convkit-depth-"));
  try {
    const model = createModel("resnet18", { classes: 2, input: [32, 32, 3], dropPath: 0.2, dropBlock: 0.1 });
    const x = tf.randomNormal([1, 32, 32, 3], 0, 1, "float32", 3);
    const wanted = [...(model.predict(x) as tf.Tensor).dataSync()];
    const classes = (loaded: LayersModel) => loaded.layers.map((layer) => layer.getClassName());
    const count = (loaded: LayersModel, name: string) => classes(loaded).filter((each) => each === name).length;
    const files = { tfjs: join(folder, "tfjs"), keras: join(folder, "net.keras"), onnx: join(folder, "net.onnx") };
    await saveModel(model, files.tfjs, { format: "tfjs" });
    await saveModel(model, files.keras);
    await saveModel(model, files.onnx);
    const [tfjs, keras, onnx] = [
      await loadModel(files.tfjs),
      await loadModel(files.keras),
      await loadModel(files.onnx),
    ];
    expect([count(tfjs, "DropBlock2D"), count(tfjs, "Dropout")]).toEqual([4, 8]);
    // Keras has Dropout of whole images, and no DropBlock.
    expect([count(keras, "DropBlock2D"), count(keras, "Dropout")]).toEqual([0, 8]);
    expect([count(onnx, "DropBlock2D"), count(onnx, "Dropout")]).toEqual([0, 0]);
    expect((await readFile(files.onnx)).includes("Dropout")).toBe(false);
    for (const loaded of [tfjs, keras]) expect([...(loaded.predict(x) as tf.Tensor).dataSync()]).toEqual(wanted);
    const got = (onnx.predict(x) as tf.Tensor).dataSync();
    wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
