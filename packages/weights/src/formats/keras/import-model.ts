import { checkOptions, shown } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { registerFunctions } from "../../layers/activations.ts";
import { passMasks } from "../../layers/masks.ts";
import { registerImportLayers } from "../../layers/register.ts";
import { Operation } from "../../operations/operation.ts";
import { Identity } from "../../layers/base-layers.ts";
import { WeightsError } from "../../weights-error.ts";
import { callCounter } from "./call-index.ts";
import type { ReferencePlace } from "./call-index.ts";
import { boundCall, isMerge } from "./call-arguments.ts";
import { holdInference } from "../../layers/held.ts";
import { classOfUser, isKnown, makeLayer, takesMask, trainingOf } from "./import-layer.ts";
import type { LayerClass, Making } from "./import-layer.ts";
import { isModel, readModel, readModelConfig } from "./config.ts";
import type { LayerCall, LayerConfig, ModelConfig, TensorReference } from "./config.ts";
import { nestedModel } from "../../model/model-layers.ts";
import { pathBase } from "./class-name.ts";
import { followers, keepKerasPaths, kerasPaths, safeName } from "./layer-paths.ts";
import { operationOf } from "./operations.ts";
import { SizeValue, computedSizes, shapeValue, withSizes } from "./size-values.ts";
import { whyUnread } from "./unread-layers.ts";

export interface ImportOptions {
  /**
   * Initializes weights with the layers' initializers, instead of zeros that a file's weights replace; false by
   * default.
   */
  readonly fresh?: boolean | undefined;
  /**
   * Throws for an architecture with more numbers than this in its weights: the file's tensors must be able to fill
   * them. No limit by default.
   */
  readonly maxNumbers?: number | undefined;
  /**
   * The user's layer classes, matched by `className`; none by default. They take precedence over the classes of Keras
   * and of this package.
   */
  readonly layers?: readonly LayerClass[] | undefined;
  /** The user's activations, by their names in the file; none by default. */
  readonly functions?: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> | undefined;
}

/** Whether tfjs wrote the file: it puts its own name into the Keras version. */
function isTfjs(config: JsonObject): boolean {
  return /tfjs/i.test(String(config["keras_version"]));
}

/**
 * Builds a tfjs model from a Keras 2 or 3 architecture, sequential or functional, with nested models. One error names
 * all unknown layers with their places.
 */
export function importModel(file: string, config: JsonObject, options: ImportOptions = {}): tfl.LayersModel {
  checkOptions("importModel", options, { fresh: true, maxNumbers: true, layers: true, functions: true });
  registerImportLayers();
  try {
    const { fresh = false, maxNumbers = Infinity, layers = [], functions = {} } = options;
    registerFunctions(functions);
    const written = JSON.stringify(config);
    const model = makeModel(file, readModelConfig(file, config), {
      fresh,
      hasMasks: /"mask_?[zZ]ero":true|"class_?[nN]ame":"Masking"/.test(written),
      keepsBatch: written.includes('"stateful":true'),
      left: { numbers: maxNumbers, uses: usesLimit },
      uses: new Map(),
      made: new Map(),
      layers,
      isTfjs: isTfjs(config),
      make: layerWithin,
    });
    passMasks(model, written.includes('"keras_history"'));
    return model;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    // For example, nesting deeper than the JavaScript stack, or sizes beyond the memory.
    throw new WeightsError(file, "the architecture", `cannot be made into a model: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The largest published networks have a thousand layers. */
const usesLimit = 10_000;

/** Counts layers or calls of the whole model; throws above the limit. */
function use(file: string, place: string, options: Making, count: number): void {
  options.left.uses -= count;
  if (options.left.uses < 0)
    throw new WeightsError(file, place, `the model has more than ${usesLimit} layers and calls`);
}

function makeModel(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const before = options.left.uses;
  use(file, `model "${model.name}"`, options, model.layers.length);
  const made = makeJoined(file, model, options);
  options.uses.set(made, before - options.left.uses);
  return made;
}

function makeJoined(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const unknown = model.layers.filter((layer) => !isKnown(layer, options));
  if (unknown.length > 0) {
    throw new WeightsError(
      file,
      unknown[0]!.place,
      `${unknown[0]!.isForeign ? "is a layer of the user's, whose class is needed: loadModel(file, { layers: [...] })" : unknownLayer(unknown[0]!)}${
        unknown.length > 1
          ? `, nor these: ${unknown
              .slice(1)
              .map(({ place }) => place)
              .join("; ")}`
          : ""
      }`,
    );
  }
  return model.kind === "Sequential" ? makeSequential(file, model, options) : makeFunctional(file, model, options);
}

function unknownLayer({ className }: LayerConfig): string {
  const reason = whyUnread(className);
  return reason === undefined ? "this layer is not known" : `${className} ${reason}`;
}

function makeSequential(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const [first] = model.layers;
  const result = tfl.sequential({ name: model.name });
  const rest = first?.className === "InputLayer" ? model.layers.slice(1) : model.layers;
  const shape = first?.className === "InputLayer" ? inputShape(file, first) : model.inputShape;
  const name = first?.className === "InputLayer" ? first.name : `${model.name}_input`;
  if (shape === undefined && !isModel(first?.className ?? "")) {
    throw new WeightsError(file, first?.place ?? "", "the model was never built: it states no input shape");
  }
  const dtype = first?.className === "InputLayer" ? inputType(first) : "float32";
  if (shape !== undefined)
    result.add(tfl.layers.inputLayer({ batchInputShape: anyBatch(shape, options), name: safeName(name), dtype }));
  const made = new Map<string, tfl.layers.Layer>();
  for (const layer of rest) {
    for (const part of parts(layer, options))
      placed(file, part, () => {
        const instance = madeLayer(file, part, options);
        made.set(part.name, instance);
        result.add(instance);
      });
  }
  keepPaths(result, model.layers, made);
  return result;
}

function makeFunctional(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const made = new Map<string, tfl.layers.Layer>();
  const results = new Map<string, readonly Result[]>();
  const callOf = callCounter(model);
  const find = (reference: TensorReference, place: ReferencePlace): Result | undefined =>
    results.get(`${reference.layer}/${callOf(reference, place)}`)?.[reference.output];
  for (const layer of model.layers) {
    if (layer.className !== "InputLayer") continue;
    const batchShape = anyBatch(inputShape(file, layer), options);
    results.set(`${layer.name}/0`, [tfl.input({ batchShape, name: safeName(layer.name), dtype: inputType(layer) })]);
  }
  const uses = model.layers.flatMap((layer): Use[] =>
    layer.className === "InputLayer"
      ? []
      : layer.calls.map((call, index) => ({ layer, call: orderedCall(layer, call, options), index })),
  );
  const queue = [...uses];
  const waiting = new Map<string, Use[]>();
  for (const next of queue) {
    const { layer, call, index } = next;
    // A layer's calls must be made in their order, since references count them.
    const unmade = call.inputs.find((reference) => find(reference, "argument") === undefined);
    const missing =
      index > 0 && !results.has(`${layer.name}/${index - 1}`)
        ? `${layer.name}/${index - 1}`
        : unmade && `${unmade.layer}/${callOf(unmade, "argument")}`;
    if (missing !== undefined) {
      waiting.set(missing, [...(waiting.get(missing) ?? []), next]);
      continue;
    }
    const inputs = call.inputs.map((reference) => find(reference, "argument")!);
    placed(file, layer, () => joinSizes(file, next, inputs, made, results, options));
    const key = `${layer.name}/${index}`;
    queue.push(...(waiting.get(key) ?? []));
    waiting.delete(key);
  }
  const stuck = uses.find(({ layer, index }) => !results.has(`${layer.name}/${index}`));
  if (stuck !== undefined) {
    const missing = stuck.call.inputs.find((reference) => find(reference, "argument") === undefined);
    throw new WeightsError(
      file,
      stuck.layer.place,
      `takes the output of "${missing?.layer ?? stuck.layer.name}", which does not exist or depends on this layer`,
    );
  }
  const pick = (reference: TensorReference): tfl.SymbolicTensor => {
    const found = find(reference, "output");
    if (found instanceof SizeValue)
      throw new WeightsError(
        file,
        `model "${model.name}"`,
        `the sizes of a tensor, "${reference.layer}", are an output`,
      );
    if (found === undefined)
      throw new WeightsError(
        file,
        `model "${model.name}"`,
        `names "${reference.layer}" as an input or output, which does not exist`,
      );
    return found;
  };
  const [inputs, outputs] = [model.inputs.map(pick), distinctOutputs(model.outputs.map(pick))];
  const result = tfl.model({
    inputs: inputs.length === 1 ? inputs[0]! : inputs,
    outputs: outputs.length === 1 ? outputs[0]! : outputs,
    name: model.name,
  });
  keepPaths(result, model.layers, made);
  withoutRepeats(result);
  if (inputs.some(({ shape }) => shape.length === 1)) predictNumbers(result);
  return result;
}

/** tfjs' `predict` adds an axis to inputs that are one number a sample, and then refuses them: call the model instead. */
function predictNumbers(model: tfl.LayersModel): void {
  model.predict = (x) => model.apply(x) as tf.Tensor;
}

/** A call with its inputs in the order of the arguments of the layer's class. */
function orderedCall(layer: LayerConfig, call: LayerCall, options: Making): LayerCall {
  const isPlain = operationOf(layer) === undefined && classOfUser(layer, options) === undefined;
  const isBound = isPlain && !layer.isOurs && !layer.isForeign && !isModel(layer.className);
  return isBound ? { ...call, inputs: boundCall(layer.className, call).inputs } : call;
}

/** Lists each weight once if a layer occurs both in this model and in a nested one. */
function withoutRepeats(model: tfl.LayersModel): void {
  for (const key of ["trainableWeights", "nonTrainableWeights"] as const) {
    const all = (): tfl.LayerVariable[] => Reflect.get(tfl.LayersModel.prototype, key, model) as tfl.LayerVariable[];
    if (new Set(all()).size < all().length) Object.defineProperty(model, key, { get: () => [...new Set(all())] });
  }
}

/** tfjs identifies outputs by layer name, so a second output of one layer goes through an Identity layer. */
function distinctOutputs(outputs: readonly tfl.SymbolicTensor[]): tfl.SymbolicTensor[] {
  const seen = new Set<string>();
  return outputs.map((output, index) => {
    const { name } = output.sourceLayer;
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew ? output : (new Identity({ name: `${name}.output${index}` }).apply(output) as tfl.SymbolicTensor);
  });
}

/** Stores the path of each layer's weights in Keras 3, counted by the class names of the file. */
function keepPaths(
  model: tfl.LayersModel,
  layers: readonly LayerConfig[],
  made: ReadonlyMap<string, tfl.layers.Layer>,
): void {
  const paths = new Map<tfl.layers.Layer, string>();
  const counts = new Map<string, number>();
  for (const layer of layers) {
    if (operationOf(layer) !== undefined && !layer.className.endsWith("OpLambda")) continue;
    const base = pathBase(layer.className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const path = `layers/${count === 0 ? base : `${base}_${count}`}`;
    const instance = made.get(layer.name);
    if (instance === undefined) continue;
    paths.set(instance, path);
    const follower = layer.follower === undefined ? undefined : made.get(layer.follower.name);
    if (follower !== undefined) {
      paths.set(follower, `${path}/activation`);
      followers.set(instance, follower);
    }
    const nested = nestedModel(instance);
    const above = "layers" in instance ? path : `${path}/layer`;
    if (nested !== undefined) for (const [inner, below] of kerasPaths(nested)) paths.set(inner, `${above}/${below}`);
  }
  keepKerasPaths(model, paths);
}

/** One call of a layer of a functional model. */
interface Use {
  readonly layer: LayerConfig;
  readonly call: LayerCall;
  readonly index: number;
}

/** What a call of a layer gives: tensors, or the sizes of tensors, which Keras 2 computes by layers of their own. */
type Result = tfl.SymbolicTensor | SizeValue;

/** Joins a call that may take or give sizes of tensors. */
function joinSizes(
  file: string,
  use: Use,
  inputs: readonly Result[],
  made: Map<string, tfl.layers.Layer>,
  results: Map<string, readonly Result[]>,
  options: Making,
): void {
  const { layer, call, index } = use;
  const operation = layer.className.endsWith("OpLambda") ? operationOf(layer) : undefined;
  const [first] = inputs;
  const isOfSizes = inputs.every((input) => input instanceof SizeValue);
  if (operation === "shape" || isOfSizes) {
    const found =
      operation === "shape" && first !== undefined && !(first instanceof SizeValue)
        ? [shapeValue(first.shape)]
        : computedSizes(operation ?? "", call, inputs as readonly SizeValue[]);
    const known = found?.filter((value) => value !== undefined);
    if (known === undefined || known.length < found!.length || withoutBatch.has(first!))
      throw new WeightsError(file, layer.place, "computes with sizes that are known only when the model runs");
    results.set(`${layer.name}/${index}`, known);
    return;
  }
  const tensors = inputs.filter((input): input is tfl.SymbolicTensor => !(input instanceof SizeValue));
  if (tensors.length === inputs.length) return joinCall(file, use, tensors, made, results, options);
  const calls = layer.calls.map((each) => withSizes(operation, { ...each, shape: tensors[0]!.shape }, inputs));
  const stated = call.kwargs["shape"];
  if (withoutBatch.has(tensors[0]!) && Array.isArray(stated) && stated.includes(-1))
    throw new WeightsError(file, layer.place, "infers a size of a tensor whose first axis is not the batch");
  joinCall(file, { ...use, layer: { ...layer, calls } }, tensors, made, results, options);
}

/** Applies a layer to its inputs; creates the layer at its first use. */
function joinCall(
  file: string,
  { layer, index }: Use,
  inputs: readonly tfl.SymbolicTensor[],
  made: Map<string, tfl.layers.Layer>,
  results: Map<string, readonly Result[]>,
  options: Making,
): void {
  const tensors = distinct(inputs, `${layer.name}.${index}`);
  let output: tfl.SymbolicTensor | tfl.SymbolicTensor[] =
    tensors.length === 1 && !takesList(layer) ? tensors[0]! : tensors;
  const held = trainingOf(file, layer) === false;
  for (const part of parts(withShape(layer, inputs), options)) {
    const instance = made.get(part.name) ?? sharedLayer(part, options) ?? madeLayer(file, part, options);
    options.made.set(sharedKey(part), instance);
    made.set(part.name, instance);
    use(file, layer.place, options, options.uses.get(instance) ?? 1);
    // tfjs stores the option with the call, and so do saved files.
    output = instance.apply(output, held ? { training: false } : undefined) as
      | tfl.SymbolicTensor
      | tfl.SymbolicTensor[];
  }
  const outputs = [output].flat();
  const last = made.get(layer.name);
  const isTurned = last instanceof Operation && turning.has(last.op);
  if (isTurned || inputs.some((input) => withoutBatch.has(input))) for (const each of outputs) withoutBatch.add(each);
  results.set(`${layer.name}/${index}`, outputs);
}

/** Tensors whose first axis is not the batch, or not the batch alone. */
const withoutBatch = new WeakSet<Result>();
const turning = new Set(
  "batchtospace moveaxis outer ravel reshape reshapelike spacetobatch swapaxes tensordot transpose".split(" "),
);

/** The layer with the shapes of its inputs in its calls; Keras 2 does not state them. */
function withShape(layer: LayerConfig, inputs: readonly tfl.SymbolicTensor[]): LayerConfig {
  const [first] = inputs;
  if (first === undefined) return layer;
  const ranks = inputs.map(({ shape }) => shape.length);
  return { ...layer, calls: layer.calls.map((call) => ({ ...call, shape: first.shape, ranks })) };
}

/**
 * If a layer takes one tensor twice (`x * x`), tfjs frees it too early. The second use goes through an Identity layer.
 */
function distinct(tensors: readonly tfl.SymbolicTensor[], name: string): tfl.SymbolicTensor[] {
  const seen = new Set<tfl.SymbolicTensor>();
  return tensors.map((tensor, index) =>
    seen.size < seen.add(tensor).size
      ? tensor
      : (new Identity({ name: `${name}.again${index}` }).apply(tensor) as tfl.SymbolicTensor),
  );
}

/** For a layer that Keras 2 marks as shared with a nested model: the layer there of the same name and configuration. */
function sharedLayer(layer: LayerConfig, options: Making): tfl.layers.Layer | undefined {
  return layer.isShared ? options.made.get(sharedKey(layer)) : undefined;
}

function sharedKey({ name, className, config }: LayerConfig): string {
  return isModel(className) ? `${className} ${name}` : JSON.stringify([name, className, config]);
}

function parts(layer: LayerConfig, options: Making): readonly LayerConfig[] {
  const { hasMasks } = options;
  if (layer.stages !== undefined)
    return layer.stages.flatMap((stage, index, { length }) => {
      const name = index === length - 1 ? layer.name : `${layer.name}.${index + 1}`;
      return parts({ ...stage, name, config: { ...stage.config, name } }, options);
    });
  const own = layer.follower === undefined ? [layer] : [layer, layer.follower];
  const penalty = activityPenalty(layer);
  if (penalty !== undefined) own.push(penalty);
  if (isModel(layer.className) || layer.isForeign || layer.isOurs) return own;
  const { config, className, name } = layer;
  const asksZeros = config["zero_output_for_mask"] === true && config["return_sequences"] === true;
  const [call] = layer.calls;
  const isGiven = call !== undefined && takesMask(boundCall(className, call));
  if (hasMasks && asksZeros && !isGiven) own.splice(1, 0, zeroed(layer));
  if (config["data_format"] === "channels_first") {
    const after = own.slice(1);
    // A softmax is over the last axis of the layer's own output, whichever that is.
    const isOverLast = config["activation"] === "softmax" || config["activation"] === "log_softmax";
    if (isOverLast) after.unshift(activationAfter(layer));
    const activation = isOverLast ? { activation: "linear" } : {};
    // The kernel of a locally connected layer has the order of the file's axes.
    const format = className === "LocallyConnected2D" ? "channels_first" : "channels_last";
    const last = { ...layer, config: { ...config, ...activation, data_format: format } };
    const gathers = className === "Flatten" || (className.startsWith("Global") && config["keepdims"] !== true);
    const back = moved(layer, `${name}.channels_first`, -1, 1);
    return [moved(layer, `${name}.channels_last`, 1, -1), last, ...(gathers ? [] : [back]), ...after];
  }
  const axis = config["axis"];
  if (className === "GroupNormalization" && typeof axis === "number" && axis !== -1) {
    const last = { ...layer, config: { ...config, axis: -1 } };
    return [moved(layer, `${name}.last`, axis, -1), last, moved(layer, `${name}.back`, -1, axis)];
  }
  return own;
}

/** Keras' penalty on a layer's output as a layer of its own, since tfjs refuses layers that have one. */
function activityPenalty({ config, name, place, isForeign, isOurs }: LayerConfig): LayerConfig | undefined {
  const stated = config["activity_regularizer"];
  if (isForeign || isOurs || !isObject(stated) || !isObject(stated["config"])) return undefined;
  const { l1 = 0, l2 = 0 } = stated["config"];
  const own = { name: `${name}.penalty`, l1, l2 };
  const className = /^L(1|2|1L2)$/.test(String(stated["class_name"]))
    ? "ActivityRegularization"
    : "activity_regularizer";
  return {
    name: own.name,
    className,
    module: "keras.layers",
    isForeign: false,
    isOurs: false,
    isShared: false,
    config: own,
    calls: [],
    place,
  };
}

/** A layer's activation as a layer of its own. */
function activationAfter({ name, config, module, isForeign, isOurs, isShared, place }: LayerConfig): LayerConfig {
  const own = { name: `${name}.activation`, activation: config["activation"], dtype: config["dtype"] };
  const rest = { module, isForeign, isOurs, isShared, place };
  return { ...rest, name: own.name, className: "Activation", config: own, calls: [] };
}

/** The layer that gives zeros for the masked steps of a recurrent layer. */
function zeroed(layer: LayerConfig): LayerConfig {
  const name = `${layer.name}.zeros`;
  const { follower: _, ...rest } = layer;
  return { ...rest, name, className: "MaskedZeros", isOurs: true, config: { name }, calls: [] };
}

/** The configuration of a layer that moves one axis to another position. */
function moved(layer: LayerConfig, name: string, source: number, destination: number): LayerConfig {
  const values = { x: { slot: 0 }, source, destination };
  const { follower: _, ...rest } = layer;
  return { ...rest, name, className: "Operation", isOurs: true, config: { name, op: "moveaxis", values }, calls: [] };
}

function madeLayer(file: string, layer: LayerConfig, options: Making): tfl.layers.Layer {
  if (!isModel(layer.className) || layer.isForeign) return makeLayer(file, layer, options);
  const inner = readModel(file, layer.place, { class_name: layer.className, config: layer.config });
  const training = options.training ?? trainingOf(file, layer);
  const made = makeModel(file, inner, { ...options, training: training === true ? true : options.training });
  if (training === false) holdInference(made);
  return made;
}

function takesList(layer: LayerConfig): boolean {
  const isList = layer.className === "Stack" || layer.className === "Concatenate" || !/\bops\b/.test(layer.module);
  return isMerge(layer.className) && isList;
}

/** Makes the layer within a wrapper; refuses one that takes several layers here. */
function layerWithin(file: string, layer: LayerConfig, options: Making): tfl.layers.Layer {
  if (!isModel(layer.className) && parts(layer, options).length > 1)
    throw new WeightsError(
      file,
      layer.place,
      "channels first, a penalty on the output, or another axis is not known for a layer within a layer",
    );
  return madeLayer(file, layer, options);
}

/** Adds the layer's place to errors that tfjs throws while it connects layers. */
function placed(file: string, layer: LayerConfig, join: () => void): void {
  try {
    join();
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, layer.place, `tfjs cannot join it: ${(error as Error).message}`, { cause: error });
  }
}

function inputShape(file: string, { config, place }: LayerConfig): readonly (number | null)[] {
  const shape = config["batch_shape"] ?? config["batch_input_shape"];
  if (
    !Array.isArray(shape) ||
    shape.some((size: unknown) => size !== null && !(Number.isInteger(size) && (size as number) > 0))
  ) {
    throw new WeightsError(file, place, `expected a batch_shape, got ${shown(shape)}`);
  }
  return shape as (number | null)[];
}

/** The type of an input: int32 if the next layer uses it as indices, bool if it holds no numbers. */
function inputType({ config }: LayerConfig): "float32" | "int32" | "bool" {
  if (config["dtype"] === "bool") return "bool";
  return /^u?int(32|64)$/.test(String(config["dtype"])) ? "int32" : "float32";
}

/** The shape for any batch, or for the file's if a layer keeps its state from batch to batch. */
function anyBatch(shape: readonly (number | null)[], { keepsBatch }: Making): (number | null)[] {
  return keepsBatch ? [...shape] : [null, ...shape.slice(1)];
}
