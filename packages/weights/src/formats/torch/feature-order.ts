import type { GraphNode } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { inOrder, usesOf } from "../../model/layer-uses.ts";
import { nestedModel } from "../../model/model-layers.ts";
import { kernelRows } from "./axis-order.ts";

/**
 * The order of a vector's features in PyTorch, which flattens feature maps channels first: `order[j]` is the tfjs
 * index of PyTorch's feature j. A text says why the order is unknown; undefined if both orders are equal.
 */
export type FeatureOrder = Int32Array | string | undefined;

/** Layers that keep the order of features. */
const keepsPlaces = new Set([
  "Activation",
  "AlphaDropout",
  "BentReLU",
  "Clipped",
  "Dropout",
  "ELU",
  "GaussianDropout",
  "GaussianNoise",
  "Identity",
  "LeakyReLU",
  "ReLU",
  "ScaledELU",
  "ThresholdedReLU",
  "BatchNormalization",
  "LayerNormalization",
  "LayerScale",
  "Normalization",
  "PReLU",
  "RMSNormalization",
]);

/** Layers that combine several inputs feature by feature. */
const joinsPlaces = new Set(["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "CustomScaleLayer"]);

/** The order of the input features of each layer for which PyTorch's order differs. */
export function featureOrders(model: tfl.LayersModel): Map<tfl.layers.Layer, Exclude<FeatureOrder, undefined>> {
  const orders = new Map<tfl.layers.Layer, Exclude<FeatureOrder, undefined>>();
  walk(
    model,
    model.inputs.map(() => undefined),
    orders,
  );
  return orders;
}

/** Follows feature orders through a model and returns the orders of its outputs. */
function walk(
  model: tfl.LayersModel,
  inputs: readonly FeatureOrder[],
  orders: Map<tfl.layers.Layer, Exclude<FeatureOrder, undefined>>,
): FeatureOrder[] {
  const known = new Map<number, FeatureOrder>(model.inputs.map(({ id }, index) => [id, inputs[index]]));
  for (const node of inOrder(usesOf(model))) {
    const { layer, outputs } = node;
    if (layer.getClassName() === "InputLayer") continue;
    const taken = node.inputs.map(({ id }) => known.get(id));
    if ("layers" in layer) {
      const inner = walk(layer as tfl.LayersModel, taken, orders);
      for (const [index, output] of outputs.entries()) known.set(output.id, inner[index]);
      continue;
    }
    const given = taken.find((order) => order !== undefined);
    // A model that runs at every step takes the features of one step.
    const held = nestedModel(layer);
    if (held !== undefined) {
      const inner = walk(held, taken, orders);
      for (const [index, output] of outputs.entries())
        known.set(output.id, inner[index] === undefined ? undefined : unknownAfter(layer.getClassName()));
      continue;
    }
    if (given !== undefined) orders.set(layer, taken.every((order) => sameOrder(order, given)) ? given : unlike);
    const after = orderAfter(node, taken);
    for (const output of outputs) known.set(output.id, after);
  }
  return model.outputs.map(({ id }) => known.get(id));
}

const unlike = "it joins features that PyTorch flattens in different orders";

function sameOrder(a: FeatureOrder, b: FeatureOrder): boolean {
  return a === b || (a instanceof Int32Array && b instanceof Int32Array && String(a) === String(b));
}

function orderAfter({ layer, inputShapes }: GraphNode, taken: readonly FeatureOrder[]): FeatureOrder {
  const className = layer.getClassName();
  const shape = inputShapes[0] ?? [];
  const given = taken.find((order) => order !== undefined);
  if (className === "Flatten") return given ?? flattened(shape);
  // A flatten at every step: the order would be of the features of one step.
  const held = (layer as { layer?: tfl.layers.Layer }).layer?.getClassName();
  if (given === undefined && (held === "Flatten" || held === "Reshape"))
    return flattened([null, ...shape.slice(2)]) === undefined ? undefined : unknownAfter(className);
  if (className === "Reshape" && given === undefined) {
    const places = shape.slice(1, -1);
    return shape.length < 3 || places.every((size) => size === 1)
      ? undefined
      : "PyTorch's maps have their channels first, so a reshape of one gives other rows";
  }
  if (given === undefined || className === "Dense") return undefined;
  if (keepsPlaces.has(className)) return given;
  if (className === "Rescaling") {
    const { scale, offset } = layer.getConfig();
    return Array.isArray(scale) || Array.isArray(offset) ? `${className} has a number for every feature` : given;
  }
  if (joinsPlaces.has(className)) return taken.every((order) => sameOrder(order, given)) ? given : unlike;
  if (className === "Concatenate") return concatenated(inputShapes, taken);
  return unknownAfter(className);
}

const unknownAfter = (className: string): string => `the order of its features after ${className} is not known`;

/** The feature order of a flattened feature map `[n, h, w, c]` or sequence `[n, length, c]`. */
function flattened(shape: readonly (number | null)[]): FeatureOrder {
  const [channels, ...places] = shape.slice(1).toReversed();
  if (places.every((size) => size === 1) || channels === 1) return undefined;
  if (channels == null || places.includes(null)) return "it is flattened from a map whose size is not known";
  return kernelRows(
    places.reduce<number>((all, size) => all * size!, 1),
    1,
    channels,
  );
}

function concatenated(shapes: GraphNode["inputShapes"], taken: readonly FeatureOrder[]): FeatureOrder {
  const rows: number[] = [];
  for (const [index, order] of taken.entries()) {
    const size = shapes[index]!.at(-1);
    if (typeof order === "string" || size == null || shapes[index]!.length !== 2)
      return typeof order === "string" ? order : "it joins vectors of sizes that are not known";
    const start = rows.length;
    for (let j = 0; j < size; j++) rows.push(start + (order?.[j] ?? j));
  }
  return Int32Array.from(rows);
}
