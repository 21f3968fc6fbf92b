import {
  BatchNormalization,
  build,
  chain,
  dense,
  flatten,
  localResponseNorm,
  PadChannels,
  registerLayers,
} from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";

const registered = (name: string): unknown => tf.serialization.SerializationMap.getMap().classNameMap[name]?.[0];

it("a user's class under one of our names stays, tfjs' own gives way", () => {
  class Mine extends tfl.layers.Layer {
    static className = "GroupNormalization";
  }
  tf.serialization.registerClass(Mine);
  registerLayers();
  registerLayers();
  expect(registered("GroupNormalization")).toBe(Mine);
  expect(registered("BatchNormalization")).toBe(BatchNormalization);
  expect(registered("PadChannels")).toBe(PadChannels);
});

it("build lets tfjs load its model, and registers no other layer", async () => {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  for (const name of ["LocalResponseNormalization", "PadChannels"]) delete classNameMap[name];
  const model = build({
    name: "small",
    paper: "none",
    input: [4, 4, 2],
    smallest: 1,
    classes: 3,
    params: 0,
    trainable: 0,
    macs: 0,
    preprocessing: { scale: 1 },
    body: localResponseNorm(),
    head: ({ classes }) => chain([flatten(), dense(classes)]),
  });
  expect([registered("LocalResponseNormalization") !== undefined, registered("PadChannels")]).toEqual([
    true,
    undefined,
  ]);
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(
      async (artifacts) => (
        (saved = artifacts),
        { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } }
      ),
    ),
  );
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
  const x = tf.randomUniform([2, 4, 4, 2], 0, 1, "float32", 1);
  const outputs = [model, loaded].map((each) => Array.from((each.predict(x) as tf.Tensor).dataSync()));
  expect(outputs[1]).toEqual(outputs[0]);
});
