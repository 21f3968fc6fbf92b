import * as tfl from "@tensorflow/tfjs-layers";
import { modelMetadata, setModelMetadata } from "./metadata.ts";
import { graphNodes, layerOutput } from "./model-graph.ts";

/**
 * Feature maps of a model, its weights shared: those of the named layers, or for each stride (4: a quarter of the image's
 * height) the last map of that size. `[n, h, w, c] -> [n, h / stride, w / stride, …]` for each.
 */
export function features(model: tfl.LayersModel, at: readonly (number | string)[]): tfl.LayersModel {
  const outputs = at.map((what) => (typeof what === "string" ? layerOutput(model, what) : lastAtStride(model, what)));
  if (outputs.length === 0) throw new Error(`${model.name}: expected strides or layer names, got none`);
  const { classes: _classes, outputWeights: _weights, ...metadata } = modelMetadata(model);
  return setModelMetadata(tfl.model({ inputs: model.inputs, outputs, name: `${model.name}_features` }), metadata);
}

/** Trains no layer up to the named one (itself too) and every layer after; without a name, trains all. Returns the model. */
export function freeze(model: tfl.LayersModel, upTo?: string): tfl.LayersModel {
  if (upTo !== undefined) layerOutput(model, upTo);
  const last = model.layers.findIndex(({ name }) => name === upTo);
  model.layers.forEach((layer, i) => {
    layer.trainable = i > last;
  });
  return model;
}

function lastAtStride(model: tfl.LayersModel, stride: number): tfl.SymbolicTensor {
  const input = model.inputs[0]?.shape ?? [];
  const maps = graphNodes(model).flatMap(({ outputs }) => outputs.filter(({ shape }) => shape.length === 4));
  const ratio = (shape: readonly (number | null)[]): number => (input[1] ?? Number.NaN) / (shape[1] ?? Number.NaN);
  // An odd image does not divide evenly: a map belongs to the power of two that is nearest.
  const found = maps.findLast(({ shape }) => 2 ** Math.round(Math.log2(ratio(shape))) === stride);
  if (found === undefined) {
    const there = [...new Set(maps.map(({ shape }) => 2 ** Math.round(Math.log2(ratio(shape)))))];
    throw new Error(`${model.name}: expected a stride of ${there.join(", ")}, got ${stride}`);
  }
  return found;
}
