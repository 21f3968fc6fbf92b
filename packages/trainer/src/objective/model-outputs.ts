import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { withFrozenNorms } from "../model/frozen-norms.ts";
import { type ModelCall, type Position, positionOf, previousOf } from "./position.ts";

/** One output of a model: logits if its softmax or sigmoid could be removed, else probabilities. `[n, outputs]` */
export interface ModelOutput {
  readonly values: tf.Tensor2D;
  readonly areLogits: boolean;
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
  images: tf.Tensor,
  options: {
    /** Whether random layers and norms act as in training; false by default. */
    readonly training?: boolean | undefined;
  } = {},
): ModelOutput[] {
  const { training = false } = options;
  const ends = model.outputs.map(endOf);
  const bases = ends.map(({ base }) => base);
  const apply = () => valuesAt(model, bases, [images], training);
  const values = training ? withFrozenNorms(model, apply) : apply();
  return ends.map((end, index) => finish(end, values[index]!, training));
}

/** The end of an output, and the tensors that it is computed from. */
interface End {
  readonly kind: "softmax" | "sigmoid" | "logits" | "probabilities";
  /** The input of the softmax or sigmoid layer, else the output itself. */
  readonly base: Position;
  /** The layer with the softmax or sigmoid, which is computed without this activation. */
  readonly head?: tfl.layers.Layer;
  /** The layers after the head, which only reshape. */
  readonly reshapes: readonly tfl.layers.Layer[];
}

function endOf(output: tfl.SymbolicTensor): End {
  const whole = positionOf(output);
  const reshapes: tfl.layers.Layer[] = [];
  let position = whole;
  for (;;) {
    const layer = position.tensor.sourceLayer;
    const kind = removableEnd(layer);
    const [before] = previousOf(position);
    if (kind !== undefined && before !== undefined)
      return { kind, base: before, head: layer, reshapes: reshapes.toReversed() };
    if (!reshapeClasses.has(layer.getClassName()) || before === undefined) break;
    reshapes.push(layer);
    position = before;
  }
  return { kind: comesFromProbabilities(position) ? "probabilities" : "logits", base: whole, reshapes: [] };
}

function finish({ kind, head, reshapes }: End, base: tf.Tensor, training: boolean): ModelOutput {
  if (head === undefined) return { values: base as tf.Tensor2D, areLogits: kind === "logits" };
  let values = applyLinearly(head, base, training);
  let areLogits = true;
  for (const layer of reshapes) {
    const made = layer.apply(values) as tf.Tensor;
    // A softmax runs over the last axis. If a reshape changes the last axis, the logits end here.
    if (areLogits && kind === "softmax" && made.shape.at(-1) !== values.shape.at(-1)) {
      areLogits = false;
      values = layer.apply(tf.softmax(values)) as tf.Tensor;
    } else values = made;
  }
  return { values: values as tf.Tensor2D, areLogits };
}

const reshapeClasses = new Set(["Reshape", "Flatten"]);
const activatedClasses = new Set(["Dense", "Conv2D", "Conv1D", "DepthwiseConv2D", "SeparableConv2D", "Activation"]);

interface Activated extends tfl.layers.Layer {
  readonly activation?: { getClassName(): string };
  readonly axis?: number;
}

/** The softmax or sigmoid at a layer's end, if the layer can be computed without it. */
function removableEnd(layer: Activated): "softmax" | "sigmoid" | undefined {
  const name = layer.getClassName();
  if (name === "Softmax") return (layer.axis ?? -1) === -1 || layer.axis === rankOf(layer) - 1 ? "softmax" : undefined;
  return activatedClasses.has(name) ? activationOf(layer) : undefined;
}

function activationOf(layer: Activated): "softmax" | "sigmoid" | undefined {
  const name = layer.activation?.getClassName?.();
  return name === "softmax" || name === "sigmoid" ? name : undefined;
}

function rankOf(layer: tfl.layers.Layer): number {
  return (layer.outputShape as unknown[]).length;
}

/** A layer's output without its softmax or sigmoid; the layer itself is not changed. */
function applyLinearly(layer: tfl.layers.Layer, input: tf.Tensor, training: boolean): tf.Tensor {
  if (layer.getClassName() === "Softmax" || layer.getClassName() === "Activation") return input;
  return [linearTwin(layer).call(input, { training })].flat()[0]!;
}

const twins = new WeakMap<tfl.layers.Layer, tfl.layers.Layer>();

/** A layer of the same class with the same weights and no activation. */
function linearTwin(layer: tfl.layers.Layer): tfl.layers.Layer {
  const known = twins.get(layer);
  if (known !== undefined) return known;
  const LayerClass = layer.constructor as new (config: object) => tfl.layers.Layer;
  const twin = new LayerClass({ ...layer.getConfig(), activation: "linear" });
  const weights = Object.entries(layer).filter(([, value]) => layer.weights.includes(value as tfl.LayerVariable));
  Object.assign(twin, Object.fromEntries(weights), { built: true });
  twins.set(layer, twin);
  return twin;
}

/** True if only layers without weights lie between a softmax or sigmoid and this position. */
function comesFromProbabilities(position: Position): boolean {
  const layer = position.tensor.sourceLayer;
  if (activationOf(layer) !== undefined || layer.getClassName() === "Softmax") return true;
  return layer.weights.length === 0 && previousOf(position).some(comesFromProbabilities);
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
