import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { nestedModel } from "../model/model-layers.ts";
import type { Inputs } from "./base-layers.ts";
import { isKnownLayer } from "./register.ts";

type Layer = tfl.layers.Layer;
type Mask = tf.Tensor | null;

/** The classes whose output has the mask of their first input, as in Keras. All others end a mask. */
const passing = new Set(
  (
    "Activation ActivityRegularization AdditiveAttention AlphaDropout Attention BatchNormalization Clipped Dense Dropout ELU " +
    "GaussianDropout GaussianNoise GroupNormalization Identity LayerNormalization LeakyReLU MultiHeadAttention " +
    "Normalization PReLU ReLU Rescaling Softmax SoftmaxOver SpatialDropout1D SpatialDropout2D SpatialDropout3D " +
    "ThresholdedReLU TimeDistributed UnitNormalization AxesNormalization BentReLU ScaledELU " +
    "AxesBatchNormalization BatchStatisticsNormalization MaskedZeros RenormBatchNormalization"
  ).split(" "),
);
const joining = new Set("Add Average Maximum Minimum Multiply Subtract".split(" "));
const recurrent = new Set(
  "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU LSTM RecurrentStack ResetAfterGRU RNN SimpleRNN".split(" "),
);
const sources = new Set(["Embedding", "Masking"]);

const masks = new WeakMap<tf.Tensor, Mask>();
const ends = new WeakSet<Layer>();

/** Marks a layer that ends a mask whatever its class: a bare operation of Keras. */
export function endMask(layer: Layer): void {
  ends.add(layer);
}

/**
 * Lets each layer of a model have the masks of its own inputs, as in Keras. (tfjs-layers gives a layer the mask of its
 * first input only, gives a mask on to all layers that come later, and stops masks at nested models.) `isKeras3`: merges
 * keep a step that one of their inputs has, where Keras 2 keeps the steps that all inputs have.
 */
export function passMasks(model: tfl.LayersModel, isKeras3: boolean): void {
  const all = layersOf(model);
  const hasMasks = all.some(isSource);
  for (const layer of all)
    if (hasMasks) passMask(layer, isKeras3);
    else if (recurrent.has(layer.getClassName())) ownOptions(layer);
}

/** Gives a layer options of its own: tfjs-layers leaves the first states of one recurrent layer to the next. */
function ownOptions(layer: Layer): void {
  if (wrapped.has(layer)) return;
  wrapped.add(layer);
  const apply = layer.apply.bind(layer);
  layer.apply = (inputs, options) => apply(inputs, options === undefined ? undefined : { ...options });
}

function layersOf(model: tfl.LayersModel): Layer[] {
  return model.layers.flatMap((layer) => {
    const inner = nestedModel(layer);
    return [...("layers" in layer ? [] : [layer]), ...(inner === undefined ? [] : layersOf(inner))];
  });
}

function isSource(layer: Layer): boolean {
  const className = layer.getClassName();
  return className === "Masking" || (className === "Embedding" && layer.getConfig()["maskZero"] === true);
}

const wrapped = new WeakSet<Layer>();

function passMask(layer: Layer, isKeras3: boolean): void {
  if (wrapped.has(layer)) return;
  wrapped.add(layer);
  const apply = layer.apply.bind(layer) as (inputs: unknown, options?: object) => tf.Tensor | tf.Tensor[];
  layer.apply = ((inputs: Inputs, options: { mask?: unknown } = {}) => {
    const list = [inputs].flat();
    if (!(list[0] instanceof tf.Tensor)) return apply(inputs, options);
    const given = list.map((x) => masks.get(x) ?? null);
    const { mask: _, ...rest } = options;
    const [first] = given;
    const own = given.some((mask) => mask !== null) ? { masks: given, ...(first == null ? {} : { mask: first }) } : {};
    const outputs = apply(inputs, { ...rest, ...own });
    const after = outputMasks(layer, list, given, isKeras3);
    for (const [index, output] of [outputs].flat().entries()) masks.set(output, after[index] ?? null);
    return outputs;
  }) as Layer["apply"];
}

function outputMasks(layer: Layer, inputs: tf.Tensor[], given: readonly Mask[], isKeras3: boolean): Mask[] {
  const className = layer.getClassName();
  if (sources.has(className)) return [layer.computeMask(inputs[0]!, undefined) as Mask];
  if (ends.has(layer) || given.every((mask) => mask === null)) return [];
  if (className === "Concatenate") return [concatenated(layer, inputs, given, isKeras3)];
  if (joining.has(className)) return [joined(given, isKeras3)];
  if (recurrent.has(className)) return [layer.computeMask(inputs, given[0] as tf.Tensor)].flat() as Mask[];
  if (passing.has(className)) return [given[0] ?? null];
  const isOfUser = !isKnownLayer(layer) && layer.supportsMasking;
  return isOfUser ? ([layer.computeMask(inputs, given as tf.Tensor[])].flat() as Mask[]) : [];
}

function joined(given: readonly Mask[], isKeras3: boolean): Mask {
  const known = given.filter((mask) => mask !== null);
  if (isKeras3 && known.length < given.length) return null;
  return known.reduce((a, b) => (isKeras3 ? tf.logicalOr(a, b) : tf.logicalAnd(a, b)));
}

function concatenated(layer: Layer, inputs: tf.Tensor[], given: readonly Mask[], isKeras3: boolean): Mask {
  const { axis } = layer as Layer & { readonly axis: number };
  return tf.tidy(() => {
    const wide = inputs.map((x, index) => {
      const mask = given[index] ?? null;
      const whole = tf.cast(tf.onesLike(x), "bool");
      if (mask === null) return whole;
      return tf.logicalAnd(whole, mask.rank < x.rank ? tf.expandDims(mask, -1) : mask);
    });
    const all = tf.concat(wide, axis);
    return isKeras3 ? tf.any(all, -1) : tf.all(all, -1);
  });
}
