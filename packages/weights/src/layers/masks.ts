import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { nestedModel } from "../model/model-layers.ts";
import type { Inputs } from "./base-layers.ts";
import { isKnownLayer } from "./register.ts";

type Layer = tfl.layers.Layer;
type Mask = tf.Tensor | null;

/**
 * What becomes of the masks of a layer's inputs, as in Keras: the output has the mask of the first input (`first`), one
 * joined of all (`joins`, `concatenates`), that of its steps if it returns them (`steps`), one of its own (`begins`), or
 * none (`ends`).
 */
export type MaskRule = "begins" | "concatenates" | "ends" | "first" | "joins" | "steps";

const classesOf: Readonly<Record<Exclude<MaskRule, "ends">, string>> = {
  begins: "Embedding Masking",
  concatenates: "Concatenate",
  first:
    "Activation ActivityRegularization AdditiveAttention AlphaDropout Attention BatchNormalization Clipped Dense Dropout ELU " +
    "GaussianDropout GaussianNoise GroupNormalization GroupQueryAttention Identity LayerNormalization LeakyReLU " +
    "MultiHeadAttention Normalization PReLU ReLU Rescaling Softmax SoftmaxOver SpatialDropout1D SpatialDropout2D " +
    "SpatialDropout3D ThresholdedReLU TimeDistributed UnitNormalization AxesNormalization BentReLU ScaledELU " +
    "AxesBatchNormalization BatchStatisticsNormalization MaskedZeros RenormBatchNormalization",
  joins: "Add Average Maximum Minimum Multiply Subtract",
  steps:
    "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU LSTM MaskedLayer RecurrentStack ResetAfterGRU RNN SimpleRNN",
};
const rules = new Map(
  Object.entries(classesOf).flatMap(([rule, names]) => names.split(" ").map((name) => [name, rule as MaskRule])),
);

/** The rule of a class of Keras or of ours. */
export const maskRule = (className: string): MaskRule => rules.get(className) ?? "ends";

const masks = new WeakMap<tf.Tensor, Mask>();
/** The masks made in each running call of a nested model, the innermost call last. */
const calls: tf.Tensor[][] = [];
const ends = new WeakSet<Layer>();
const wrapped = new WeakSet<Layer>();
const joinsOfKeras2 = new WeakSet<Layer>();

/** What our tfjs writer states as `mask_rules` of a model whose merges join masks as Keras 3 does. */
export const keras3Masks = "keras3";

/** Whether the layers of a model join masks as Keras 3 does. */
export const hasKeras3Masks = (model: tfl.LayersModel): boolean =>
  layersOf(model).some((layer) => wrapped.has(layer) && !joinsOfKeras2.has(layer));

/** Whether a layer ends a mask whatever its class. */
export const endsMask = (layer: Layer): boolean => ends.has(layer);

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
    else if (maskRule(layer.getClassName()) === "steps") ownOptions(layer);
  if (hasMasks) for (const inner of nestedModels(model)) outliveCall(inner);
}

function nestedModels(model: tfl.LayersModel): tfl.LayersModel[] {
  return model.layers.flatMap((layer) => {
    const inner = nestedModel(layer);
    return inner === undefined ? [] : [inner, ...nestedModels(inner)];
  });
}

/** Lets the masks that a nested model makes live on after its call, which frees all but its outputs. */
function outliveCall(model: tfl.LayersModel): void {
  if (wrapped.has(model)) return;
  wrapped.add(model);
  const call = model.call.bind(model);
  model.call = (inputs, options) => {
    const made: tf.Tensor[] = [];
    calls.push(made);
    try {
      return call(inputs, options);
    } finally {
      calls.pop();
      for (const mask of made) release(mask);
    }
  };
}

/** Hands a mask to the call around: one of a nested model, or the scope that frees it. */
function release(mask: tf.Tensor): void {
  const around = calls.at(-1);
  if (around !== undefined) {
    around.push(mask);
    return;
  }
  mask.kept = false;
  (tf.engine() as unknown as { track(tensor: tf.Tensor): void }).track(mask);
}

const separate = new WeakSet<Layer>();

/** Gives a layer options of its own: tfjs-layers leaves the first states of one recurrent layer to the next. */
function ownOptions(layer: Layer): void {
  if (separate.has(layer)) return;
  separate.add(layer);
  const apply = layer.apply.bind(layer);
  layer.apply = (inputs, options) => apply(inputs, options === undefined ? undefined : { ...options });
}

function layersOf(model: tfl.LayersModel): Layer[] {
  return model.layers.flatMap((layer) => {
    const inner = nestedModel(layer);
    return [...("layers" in layer ? [] : [layer]), ...(inner === undefined ? [] : layersOf(inner))];
  });
}

/** Whether a layer gives its output a mask. */
export function isSource(layer: Layer): boolean {
  const className = layer.getClassName();
  return className === "Masking" || (className === "Embedding" && layer.getConfig()["maskZero"] === true);
}

/** Whether a layer has the masks of its own inputs, as in Keras; false where tfjs-layers gives masks on. */
export const hasOwnMasks = (layer: Layer): boolean => wrapped.has(layer);

/** Whether a layer keeps of several masks the steps that all of them have, as Keras 2 does. */
export const joinsAsKeras2 = (layer: Layer): boolean => joinsOfKeras2.has(layer);

function passMask(layer: Layer, isKeras3: boolean): void {
  if (wrapped.has(layer)) return;
  wrapped.add(layer);
  if (!isKeras3) joinsOfKeras2.add(layer);
  const apply = layer.apply.bind(layer) as (inputs: unknown, options?: object) => tf.Tensor | tf.Tensor[];
  layer.apply = ((inputs: Inputs, options: { mask?: unknown } = {}) => {
    const list = [inputs].flat();
    if (!(list[0] instanceof tf.Tensor)) return apply(inputs, options);
    const given = list.map((x) => masks.get(x) ?? null);
    const { mask: _, ...rest } = options;
    const [first] = given;
    const isUsed = !(isKeras3 && takesStates(layer, list.length)) && given.some((mask) => mask !== null);
    const own = isUsed ? { masks: given, ...(first == null ? {} : { mask: first }) } : {};
    const within = masksWithin(layer, first ?? null);
    const stepwise =
      within === undefined ? undefined : atEachStep(within, list[0], { mask: first as tf.Tensor, rest, isKeras3 });
    const outputs = stepwise?.[0] ?? apply(inputs, { ...rest, ...own });
    const after = stepwise === undefined ? outputMasks(layer, list, given, isKeras3) : [stepwise[1]];
    for (const [index, output] of [outputs].flat().entries()) masks.set(output, after[index] ?? null);
    for (const mask of after) if (mask !== null && !given.includes(mask)) calls.at(-1)?.push(tf.keep(mask));
    return outputs;
  }) as Layer["apply"];
}

/** The model or recurrent layer within a TimeDistributed, if a mask of its input has more axes than the steps and so is for it. */
function masksWithin(layer: Layer, mask: Mask): Layer | undefined {
  if (layer.getClassName() !== "TimeDistributed" || mask === null || mask.rank <= 2) return undefined;
  const { layer: held } = layer as Layer & { readonly layer: Layer };
  return nestedModel(layer) !== undefined || maskRule(held.getClassName()) === "steps" ? held : undefined;
}

interface StepCall {
  readonly mask: tf.Tensor;
  /** The options of the call besides masks. */
  readonly rest: object;
  readonly isKeras3: boolean;
}

/** The output of a layer at the steps of all samples, each called with its part of the mask, and the output's mask, as in Keras. */
function atEachStep(
  held: Layer,
  x: tf.Tensor,
  { mask, rest, isKeras3 }: StepCall,
): [output: tf.Tensor, mask: tf.Tensor] {
  return tf.tidy(() => {
    const [samples, steps] = x.shape as [number, number];
    const flat = tf.reshape(x, [samples * steps, ...x.shape.slice(2)]);
    const own = tf.reshape(mask, [samples * steps, ...mask.shape.slice(2)]);
    masks.set(flat, own);
    const y = held.apply(flat, { ...rest, ...("layers" in held ? {} : { mask: own }) }) as tf.Tensor;
    const apart = (z: tf.Tensor): tf.Tensor => tf.reshape(z, [samples, steps, ...z.shape.slice(1)]);
    if (isKeras3) return [apart(y), mask];
    const left = masks.get(y) ?? null;
    // Where the layer ends the mask, a step counts if any part of its mask does.
    return [apart(y), left === null ? tf.any(tf.reshape(mask, [samples, steps, -1]), -1) : apart(left)];
  });
}

/** Whether a recurrent layer's call gives its first states. Keras 3 leaves the sequence's mask unused then. */
export const takesStates = (layer: Layer, inputs: number): boolean =>
  maskRule(layer.getClassName()) === "steps" && layer.getClassName() !== "MaskedLayer" && inputs > 1;

function outputMasks(layer: Layer, inputs: tf.Tensor[], given: readonly Mask[], isKeras3: boolean): Mask[] {
  const rule = maskRule(layer.getClassName());
  if (rule === "begins") return [layer.computeMask(inputs[0]!, undefined) as Mask];
  if (ends.has(layer) || given.every((mask) => mask === null)) return [];
  if (rule === "concatenates") return [concatenated(layer, inputs, given, isKeras3)];
  if (rule === "joins") return [joined(given, isKeras3)];
  if (rule === "steps") return [layer.computeMask(inputs, given[0] as tf.Tensor)].flat() as Mask[];
  if (rule === "first") return [given[0] ?? null];
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
