import { BatchNormalization, PadChannels, registerLayers } from "@convkit/core";
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
