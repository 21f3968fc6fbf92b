import { layerOutput } from "@convkit/core";
import { type ModelCall, type Position, endOf, finishOutput } from "@convkit/core/internal";
import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { withFrozenNorms } from "../model/frozen-norms.ts";

/** One output of a model: logits if its softmax or sigmoid could be removed, else probabilities. `[n, outputs]` */
export interface ModelOutput {
  readonly values: tf.Tensor2D;
  readonly areLogits: boolean;
  /** The softmax or sigmoid of the model that logits are without; missing if the model ends without one. */
  readonly activation?: "softmax" | "sigmoid" | undefined;
}

/**
 * Applies a model without the softmax or sigmoid at the end of its outputs. It is also found inside nested models and
 * before layers that only reshape. Losses from logits are exact where a probability would round to 0 or 1. If other
 * layers without weights follow the softmax or sigmoid (an average of two networks), the outputs are probabilities.
 * `[n, h, w, c] -> [n, outputs]` for each of the model's outputs. Frozen batch normalization uses its moving
 * statistics, also in training.
 */
export function modelOutputs(
  model: tfl.LayersModel,
  images: tf.Tensor | readonly tf.Tensor[],
  options: {
    /** Whether random layers and norms act as in training; false by default. */
    readonly training?: boolean | undefined;
  } = {},
): ModelOutput[] {
  return outputsAndMaps(model, images, [], options).outputs;
}

/** The same, with the outputs of some layers of the model itself, all computed once. */
export function outputsAndMaps(
  model: tfl.LayersModel,
  images: tf.Tensor | readonly tf.Tensor[],
  layers: readonly string[],
  { training = false }: { readonly training?: boolean | undefined } = {},
): { readonly outputs: ModelOutput[]; readonly maps: tf.Tensor[] } {
  const ends = model.outputs.map(endOf);
  const maps = layers.map((name) => ({ tensor: layerOutput(model, name), inside: [] }));
  const positions = [...ends.map(({ base }) => base), ...maps];
  const apply = () => valuesAt(model, positions, [images].flat() as tf.Tensor[], training);
  const values = training ? withFrozenNorms(model, apply) : apply();
  const outputs = ends.map((end, index) => {
    const output = finishOutput(end, values[index]!, training);
    const activation = end.kind === "softmax" || end.kind === "sigmoid" ? end.kind : undefined;
    return activation !== undefined && output.areLogits ? { ...output, activation } : output;
  });
  return { outputs, maps: values.slice(ends.length) };
}

/** The values at positions of a model for its inputs; each part of the model is computed once. */
function valuesAt(
  model: tfl.LayersModel,
  positions: readonly Position[],
  inputs: tf.Tensor[],
  training: boolean,
): tf.Tensor[] {
  const calls = new Map<string, { readonly call: ModelCall; readonly inner: Position[] }>();
  for (const { tensor, inside } of positions) {
    const [call, ...deeper] = inside;
    if (call === undefined) continue;
    const entry = calls.get(keyOf(call)) ?? { call, inner: [] };
    entry.inner.push({ tensor, inside: deeper });
    calls.set(keyOf(call), entry);
  }
  const own = positions.filter(({ inside }) => inside.length === 0).map(({ tensor }) => tensor);
  const needed = [...new Set([...own, ...[...calls.values()].flatMap(({ call }) => call.inputs)])];
  const computed = compute(model, needed, inputs, training);
  const valueOf = (tensor: tfl.SymbolicTensor) => computed[needed.indexOf(tensor)]!;
  const nested = new Map<string, tf.Tensor[]>();
  for (const [key, { call, inner }] of calls)
    nested.set(key, valuesAt(call.model, inner, call.inputs.map(valueOf), training));
  return positions.map(({ tensor, inside: [call] }) =>
    call === undefined ? valueOf(tensor) : nested.get(keyOf(call))!.shift()!,
  );
}

function keyOf({ model, node }: ModelCall): string {
  return `${model.id} ${node}`;
}

/** Computes symbolic tensors of a model. */
function compute(
  model: tfl.LayersModel,
  tensors: tfl.SymbolicTensor[],
  inputs: tf.Tensor[],
  training: boolean,
): tf.Tensor[] {
  const fed = tensors.map((tensor) => model.inputs.findIndex(({ id }) => id === tensor.id));
  const computed = tensors.filter((_, index) => fed[index] === -1);
  const isWhole = computed.length === model.outputs.length && computed.every((each, i) => each === model.outputs[i]);
  const part = isWhole ? model : computed.length === 0 ? undefined : partOf(model, computed);
  const made = [part?.apply(inputs.length === 1 ? inputs[0]! : inputs, { training }) ?? []].flat() as tf.Tensor[];
  return fed.map((input) => (input === -1 ? made.shift()! : inputs[input]!));
}

const parts = new WeakMap<tfl.LayersModel, Map<string, tfl.LayersModel>>();

/** A model with the same layers as `model` that computes other tensors. */
function partOf(model: tfl.LayersModel, outputs: tfl.SymbolicTensor[]): tfl.LayersModel {
  const known = parts.get(model) ?? new Map<string, tfl.LayersModel>();
  parts.set(model, known);
  const key = outputs.map(({ id }) => id).join();
  const part = known.get(key) ?? tfl.model({ inputs: model.inputs, outputs, name: `${model.name}_part` });
  known.set(key, part);
  return part;
}
