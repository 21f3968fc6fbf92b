import * as tfl from "@tensorflow/tfjs-layers";
import { withSeed } from "./initializers.ts";
import { graphNodes, layerOutput } from "./model-graph.ts";
import type { GraphNode } from "./model-graph.ts";
import { registerLayers } from "./register.ts";

/**
 * Feature maps of a model, its weights shared: those of the named layers, or for each stride (4: a quarter of the image's
 * height) the last map of that size. `[n, h, w, c] -> [n, h / stride, w / stride, …]` for each.
 */
export function features(model: tfl.LayersModel, at: readonly (number | string)[]): tfl.LayersModel {
  const outputs = at.map((what) => (typeof what === "string" ? layerOutput(model, what) : lastAtStride(model, what)));
  if (outputs.length === 0) throw new Error(`${model.name}: expected strides or layer names, got none`);
  return tfl.model({ inputs: model.inputs, outputs, name: `${model.name}_features` });
}

/**
 * The model with a classifier for other classes; all weights before it are kept and shared, the new layer starts fresh under
 * the name `<old>_<classes>`. What follows the classifying layer (a softmax, a pool) stays.
 */
export function replaceHead(
  model: tfl.LayersModel,
  classes: number,
  { seed = 0 }: { seed?: number } = {},
): tfl.LayersModel {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new Error(`${model.name}: expected classes to be a whole number from 1 on, got ${classes}`);
  }
  registerLayers();
  const nodes = graphNodes(model);
  const last = nodes.findLastIndex(
    ({ layer }) => layer.weights.length > 0 && ["Dense", "Conv2D"].includes(layer.getClassName()),
  );
  const classifier = nodes[last];
  if (classifier === undefined)
    throw new Error(`${model.name}: expected a dense layer or a convolution to replace, found none`);
  const tail = nodes.slice(last + 1);
  const name = `${classifier.layer.name}_${classes}`;
  return withSeed(seed, () => {
    let y = inputOf(model, classifier);
    for (const { layer } of [classifier, ...tail]) {
      const config = layer.getConfig();
      const isClassifier = layer === classifier.layer;
      const units = layer.getClassName() === "Dense" ? { units: classes } : { filters: classes };
      const activation = config["activation"];
      const end = classes === 1 && activation === "softmax" ? { activation: "sigmoid" } : {};
      const Layer = layer.constructor as unknown as { new (config: object): tfl.layers.Layer };
      const made = new Layer(isClassifier ? { ...config, ...units, ...end, name } : config);
      y = made.apply(y) as tfl.SymbolicTensor;
    }
    return tfl.model({ inputs: model.inputs, outputs: y, name: model.name });
  });
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

function inputOf(model: tfl.LayersModel, { inputs }: GraphNode): tfl.SymbolicTensor {
  const from = inputs[0];
  const output = graphNodes(model)
    .flatMap(({ outputs }) => outputs)
    .find(({ id }) => id === from?.id);
  if (output === undefined) throw new Error(`${model.name}: expected layers before the classifier, found none`);
  return output;
}
