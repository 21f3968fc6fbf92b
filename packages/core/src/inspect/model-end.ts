import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layerEnd } from "./output-end.ts";
import { type Position, positionOf, previousOf } from "./position.ts";

/** The end of an output, and the tensors that it is computed from. */
export interface ModelEnd {
  readonly kind: "softmax" | "sigmoid" | "logits" | "probabilities";
  /** The input of the softmax or sigmoid layer, else the output itself. */
  readonly base: Position;
  /** The layer with the softmax or sigmoid, which is computed without this activation. */
  readonly head?: tfl.layers.Layer;
  /** The layers after the head, which only reshape. */
  readonly reshapes: readonly tfl.layers.Layer[];
}

/** The end of one of a model's outputs, without its softmax or sigmoid where these can be left out. */
export function endOf(output: tfl.SymbolicTensor): ModelEnd {
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

/** The output from the values at its end's `base`: logits if its softmax or sigmoid was left out, else probabilities. */
export function finishOutput(
  { kind, head, reshapes }: ModelEnd,
  base: tf.Tensor,
  training = false,
): { readonly values: tf.Tensor2D; readonly areLogits: boolean } {
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

/** The softmax or sigmoid at a layer's end, if the layer can be computed without it. */
function removableEnd(layer: tfl.layers.Layer): "softmax" | "sigmoid" | undefined {
  const end = layerEnd(layer);
  return end === "linear" ? undefined : end;
}

function activationOf(layer: tfl.layers.Layer): "softmax" | "sigmoid" | undefined {
  const name = (layer as { activation?: { getClassName?(): string } }).activation?.getClassName?.();
  return name === "softmax" || name === "sigmoid" ? name : undefined;
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
