import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";

/** Layers of tfjs whose names Keras has for other numbers, with what tfjs gives for the rows [0, 4, 8, 12] of one image. */
const layers: Readonly<
  Record<string, { readonly layer: () => tfl.layers.Layer; readonly numbers: readonly number[] }>
> = {
  UpSampling2D: {
    layer: () => tfl.layers.upSampling2d({ size: [1, 2], interpolation: "bilinear", inputShape: [2, 2, 1] }),
    // Points at 0, 1/2, 1 and 3/2, which lies past the last one; Keras' areas give 0, 1, 3, 4.
    numbers: [0, 2, 4, 4, 8, 10, 12, 12],
  },
};

describe.each(Object.entries(layers))("tfjs' own %s", (name, { layer, numbers }) => {
  const image = (): tf.Tensor => tf.tensor4d([0, 4, 8, 12], [1, 2, 2, 1]);
  const predicted = (model: tfl.LayersModel): number[] => [...(model.predict(image()) as tf.Tensor).dataSync()];
  let folder = "";
  let model: tfl.LayersModel;

  beforeAll(async () => {
    await useEngine();
    folder = await mkdtemp(join(tmpdir(), "convkit-namesakes-"));
    model = tfl.sequential({ layers: [layer()] });
  });

  afterAll(() => rm(folder, { recursive: true }));

  it("keeps its numbers in tfjs' folders and in ONNX", async () => {
    expect(predicted(model)).toEqual(numbers);
    await saveModel(model, join(folder, "tfjs"), { format: "tfjs" });
    expect(predicted(await loadModel(join(folder, "tfjs")))).toEqual(numbers);
    await saveModel(model, join(folder, "net.onnx"));
    expect(predicted(await loadModel(join(folder, "net.onnx")))).toEqual(numbers);
  });

  it.each(["net.keras", "net.h5"])(
    "is refused for %s, whose layer of that name computes other numbers",
    async (file) => {
      await expect(saveModel(model, join(folder, file))).rejects.toThrow(
        new RegExp(`is tfjs' ${name}, which takes pixels as points`, "u"),
      );
    },
  );
});
