import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { inOrder, usesOf } from "./layer-uses.ts";

/**
 * Predicts with a model, use by use of its layers. (tfjs identifies outputs by layer name, so its own `predict` gives one
 * output twice if two outputs of a model are calls of one layer.) Call it within `tf.tidy`, or while an op is recorded.
 */
export function runModel(model: tfl.LayersModel, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return run(
    model,
    inputs,
    inputs.map(() => null),
  ).values;
}

/** Predicts with one layer. */
export function runLayer(layer: tfl.layers.Layer, inputs: tf.Tensor[]): tf.Tensor[] {
  return call(layer, inputs, []).values;
}

interface Results {
  readonly values: tf.Tensor[];
  readonly masks: (tf.Tensor | null)[];
}

function run(model: tfl.LayersModel, inputs: readonly tf.Tensor[], inputMasks: readonly (tf.Tensor | null)[]): Results {
  const values = new Map<number, tf.Tensor>(model.inputs.map(({ id }, index) => [id, inputs[index]!]));
  const masks = new Map<number, tf.Tensor | null>(model.inputs.map(({ id }, index) => [id, inputMasks[index] ?? null]));
  for (const { layer, inputs: sources, outputs } of inOrder(usesOf(model))) {
    if (layer.getClassName() === "InputLayer") continue;
    const taken = sources.map(({ id }) => values.get(id)!);
    const takenMasks = sources.map(({ id }) => masks.get(id) ?? null);
    const results =
      "layers" in layer ? run(layer as tfl.LayersModel, taken, takenMasks) : call(layer, taken, takenMasks);
    for (const [index, { id }] of outputs.entries()) {
      values.set(id, results.values[index]!);
      masks.set(id, results.masks[index] ?? null);
    }
  }
  return {
    values: model.outputs.map(({ id }) => values.get(id)!),
    masks: model.outputs.map(({ id }) => masks.get(id) ?? null),
  };
}

/** Calls a layer as tfjs does in prediction: with lists, and with the first mask if there is one. */
function call(layer: tfl.layers.Layer, inputs: tf.Tensor[], masks: (tf.Tensor | null)[]): Results {
  const mask = masks.some((each) => each !== null) ? { mask: masks[0]! } : {};
  const values = [layer.apply(inputs, { training: false, ...mask })].flat() as tf.Tensor[];
  if (!layer.supportsMasking) return { values, masks: [] };
  const after = layer.computeMask(inputs, masks as tf.Tensor[]) as tf.Tensor | tf.Tensor[] | null;
  return { values, masks: Array.isArray(after) ? after : [after] };
}
