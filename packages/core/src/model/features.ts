import { OptionError, shown } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkModel } from "./check-model.ts";
import { layerOutput } from "../inspect/model-graph.ts";
import { stageEnds } from "../inspect/stage-ends.ts";
import { modelMetadata, setModelMetadata } from "../metadata/metadata.ts";

/**
 * Feature maps of a model, which shares its weights: of the named layers, or for each stride (4: a quarter of the image's height
 * and width) the last map of that stride between two blocks, never padding or the inside of a block.
 * `[n, h, w, c] -> [n, h / stride, w / stride, …]` for each.
 *
 * Models of `build` know where their stages end (`stages` of `modelMetadata`). In other models a map lies between two blocks if
 * everything after it depends on it alone. Throws an `OptionError` where no such map has the stride.
 */
export function features(model: tfl.LayersModel, at: readonly (number | string)[]): tfl.LayersModel {
  checkModel("features", model);
  if (!Array.isArray(at) || at.length === 0) {
    throw new OptionError(`${model.name}: expected a list of strides or layer names, got ${shown(at)}.`);
  }
  const outputs = at.map((what) => (typeof what === "string" ? layerOutput(model, what) : lastAtStride(model, what)));
  const { classes: _classes, thresholds: _thresholds, outputWeights: _weights, ...metadata } = modelMetadata(model);
  const maps = tfjs.model({ inputs: model.inputs, outputs, name: `${model.name}_features` });
  return setModelMetadata(maps, metadata);
}

/**
 * Stops training of every layer up to the named one, itself included, and trains every layer after it; without a name, trains
 * all. Returns the model.
 */
export function freeze(model: tfl.LayersModel, upTo?: string): tfl.LayersModel {
  checkModel("freeze", model);
  if (upTo !== undefined && typeof upTo !== "string") {
    throw new OptionError(`freeze: expected the name of a layer, got ${shown(upTo)}.`);
  }
  if (upTo !== undefined) layerOutput(model, upTo);
  const last = model.layers.findIndex(({ name }) => name === upTo);
  model.layers.forEach((layer, i) => {
    layer.trainable = i > last;
  });
  return model;
}

function lastAtStride(model: tfl.LayersModel, stride: number): tfl.SymbolicTensor {
  const ends = stageEnds(model);
  const found = ends.find((end) => end.stride === String(stride));
  if (found === undefined) {
    const there = ends.map((end) => end.stride).join(", ");
    throw new OptionError(`${model.name}: expected a stride of ${there}, got ${shown(stride)}.`);
  }
  return found.output;
}
