import { checkOptions } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { JsonObject } from "../../bytes/json.ts";
import { registerFunctions } from "../../layers/activations.ts";
import { Identity } from "../../layers/base-layers.ts";
import { holdInference } from "../../layers/held.ts";
import { keras3Masks, passMasks } from "../../layers/masks.ts";
import { registerImportLayers } from "../../layers/register.ts";
import { WeightsError } from "../../weights-error.ts";
import { boundCall } from "./call-arguments.ts";
import { callCounter } from "./call-index.ts";
import type { ReferencePlace } from "./call-index.ts";
import { isModel, readModel, readModelConfig } from "./config.ts";
import type { LayerCall, LayerConfig, ModelConfig, TensorReference } from "./config.ts";
import { countUses, usesLimit } from "./count-uses.ts";
import { classOfUser, isKnown, makeLayer, trainingOf } from "./import-layer.ts";
import type { LayerClass, Making } from "./import-layer.ts";
import { anyBatch, inputShape, inputType } from "./input-layer.ts";
import { joinUse, placed } from "./join-calls.ts";
import type { Result, Use } from "./join-calls.ts";
import { keepPaths } from "./keep-paths.ts";
import { safeName } from "./layer-paths.ts";
import { parts } from "./layer-parts.ts";
import { operationOf } from "./operations.ts";
import { SizeValue } from "./size-values.ts";
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
    passMasks(model, written.includes('"keras_history"') || config["mask_rules"] === keras3Masks);
    return model;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    // For example, nesting deeper than the JavaScript stack, or sizes beyond the memory.
    throw new WeightsError(file, "the architecture", `cannot be made into a model: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function makeModel(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const before = options.left.uses;
  countUses(file, `model "${model.name}"`, options, model.layers.length);
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
  const joining = { ...options, makeAny: (layer: LayerConfig) => madeLayer(file, layer, options) };
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
    placed(file, layer, () => joinUse(file, next, inputs, made, results, joining));
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

function madeLayer(file: string, layer: LayerConfig, options: Making): tfl.layers.Layer {
  if (!isModel(layer.className) || layer.isForeign) return makeLayer(file, layer, options);
  const inner = readModel(file, layer.place, { class_name: layer.className, config: layer.config });
  const training = options.training ?? trainingOf(file, layer);
  const made = makeModel(file, inner, { ...options, training: training === true ? true : options.training });
  if (training === false) holdInference(made);
  return made;
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
