import type * as tfl from "@tensorflow/tfjs-layers";
import { BatchStatisticsNormalization } from "../../layers/norms.ts";
import { holdInference } from "../../layers/held.ts";
import { endMask } from "../../layers/masks.ts";
import { MaskedLayer } from "../../layers/wrappers.ts";
import { userClass } from "../../layers/register.ts";
import { WeightsError } from "../../weights-error.ts";
import { isModel } from "./config.ts";
import type { LayerConfig } from "./config.ts";
import { boundCall, isMerge, sameArguments } from "./call-arguments.ts";
import type { BoundCall } from "./call-arguments.ts";
import { unknownKey } from "./config-keys.ts";
import { camelCase, converted } from "./layer-args.ts";
import { makers } from "./import-layers.ts";
import type { Request } from "./makers/request.ts";
import { safeName } from "./layer-paths.ts";
import { keepPolicy } from "./policy.ts";
import { isKnownOperation, makeOperation, operationOf } from "./operations.ts";

type Layer = tfl.layers.Layer;

/** A layer class that the user passes. */
export type LayerClass = (new (config: never) => Layer) & { readonly className: string };

/** State shared while one model is built. */
export interface Making {
  readonly fresh: boolean;
  /** Remaining budget of numbers in weights, and of layer uses. */
  left: { numbers: number; uses: number };
  readonly uses: Map<Layer, number>;
  /** Every layer that was made, by name, class and configuration. */
  readonly made: Map<string, Layer>;
  /** The user's classes, which take precedence over all others. */
  readonly layers: readonly LayerClass[];
  /** True for a tfjs file, whose layers have their own configuration keys. */
  readonly isTfjs: boolean;
  /** Whether inputs keep the file's batch size, which a layer with a state needs. */
  readonly keepsBatch: boolean;
  /** Whether any layer of the whole model makes a mask. */
  readonly hasMasks: boolean;
  /** True inside a model that is called with training=True. */
  readonly training?: boolean | undefined;
  /** Makes a layer or a nested model. */
  readonly make: (file: string, layer: LayerConfig, making: Making) => Layer;
}

/**
 * Makes the tfjs layer for a layer of a Keras model; throws `WeightsError` with the layer and its place if there is
 * none.
 */
export function makeLayer(file: string, layer: LayerConfig, making: Making): Layer {
  const { name, className, config, calls, place } = layer;
  const refuse = (problem: string): never => {
    throw new WeightsError(file, place, problem);
  };
  const user = classOfUser(layer, making);
  const operation = user === undefined ? operationOf(layer) : undefined;
  const make =
    operation === undefined
      ? ownEntry(makers, className)
      : (request: Request): Layer => makeOperation(operation, request, making.hasMasks);
  if (make === undefined && user === undefined)
    return refuse(`the ${operation === undefined ? `layer ${className}` : `operation ${operation}`} is not known`);
  if (user === undefined && operation === undefined && !making.isTfjs && !layer.isOurs) {
    const key = unknownKey(className, config);
    if (key !== undefined)
      refuse(
        `Keras' ${className} has no option "${key}", so this is a class of the user's: give it, loadModel(file, { layers: [${className}] })`,
      );
  }
  const call = user === undefined && operation === undefined ? layerCall(layer, refuse) : undefined;
  if (user === undefined && config["time_major"] === true)
    refuse("time_major is not known: sequences have the batch first here");
  const isLast = config["return_sequences"] !== true || config["return_state"] === true;
  const isMasked = making.hasMasks || takesMask(call);
  if (user === undefined && isMasked && config["zero_output_for_mask"] === true && isLast)
    refuse("zero_output_for_mask is known for a layer that returns sequences, and no states");
  const within = (innerClass: string, innerConfig: LayerConfig["config"]): Layer => {
    const innerName = String(innerConfig["name"] ?? `${name}.layer`);
    const row = { ...layer, name: innerName, className: innerClass, config: innerConfig, calls: [] };
    return making.make(file, { ...row, place: `${place}.layer` }, making);
  };
  try {
    const made =
      user === undefined
        ? make!({
            name,
            args: { ...converted(config, className), name: safeName(name) },
            config,
            isTfjs: making.isTfjs,
            call: call ?? calls[0],
            make: within,
            refuse,
          })
        : makeOfUser(user, config, name);
    const asTrained = user === undefined ? withMask(inTraining(file, layer, made, making), call, config) : made;
    if (operation !== undefined || layer.endsMask === true) endMask(asTrained);
    keepPolicy(asTrained, config);
    limitWeights(asTrained, making, refuse);
    // Random initial values are not needed for weights that come from the file.
    if (!making.fresh)
      (asTrained as unknown as { setFastWeightInitDuringBuild(fast: boolean): void }).setFastWeightInitDuringBuild(
        true,
      );
    return asTrained;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, place, `cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

/** Arguments of a call that some layers here take beside their inputs. */
const takenArguments: Readonly<Record<string, readonly string[]>> = {
  AdditiveAttention: ["mask", "value_mask", "return_attention_scores", "use_causal_mask"],
  Attention: ["mask", "value_mask", "return_attention_scores", "use_causal_mask"],
  GlobalAveragePooling1D: ["mask"],
};
const headArguments = [
  "query",
  "value",
  "key",
  "query_mask",
  "value_mask",
  "key_mask",
  "attention_mask",
  "return_attention_scores",
  "use_causal_mask",
];
const recurrentArguments = ["sequences", "initial_state", "mask"];

/** The first call of a layer; refuses arguments that the layer here does not take, and calls that differ. */
function layerCall(layer: LayerConfig, refuse: (problem: string) => never): BoundCall | undefined {
  const [first] = layer.calls;
  if (first === undefined || layer.isOurs || isModel(layer.className)) return undefined;
  const call = boundCall(layer.className, first);
  const { roles } = call;
  const taken = Object.hasOwn(takenArguments, layer.className)
    ? takenArguments[layer.className]!
    : roles.includes("query")
      ? headArguments
      : roles.includes("sequences")
        ? recurrentArguments
        : [];
  const other = [...roles, ...Object.keys(call.options)].find((name) => name !== "inputs" && !taken.includes(name));
  if (other !== undefined && !isMerge(layer.className)) refuse(`is called with ${other}, which is not known here`);
  if (!sameArguments(layer)) refuse("is called with different arguments, which one layer of tfjs cannot");
  return call;
}

/** Whether the call of a recurrent layer states a mask. */
export function takesMask(call: BoundCall | undefined): boolean {
  return call !== undefined && call.roles.at(-1) === "mask" && call.roles.includes("sequences");
}

/** The layer, or one that takes a mask as its last input if the layer's call states a mask. */
function withMask(made: Layer, call: BoundCall | undefined, config: LayerConfig["config"]): Layer {
  if (!takesMask(call)) return made;
  return new MaskedLayer({
    name: `${made.name}.masked`,
    layer: made,
    zeros: config["zero_output_for_mask"] === true,
  });
}

/** The `training` argument of a layer's calls; throws if the calls differ. */
export function trainingOf(file: string, { calls, place }: LayerConfig): boolean | undefined {
  const stated = new Set(calls.map(({ training }) => training));
  if (stated.size > 1)
    throw new WeightsError(file, place, "is called with training and without, which one layer of tfjs cannot");
  return [...stated][0];
}

/**
 * Layers that draw random numbers in training. Augmentation is left out: Keras writes training=True for all its calls,
 * yet does not draw in prediction.
 */
const drawsInTraining = /Dropout|^Gaussian/;

/** A layer that behaves in prediction as the call with training=True asks. */
function inTraining(file: string, layer: LayerConfig, made: Layer, making: Making): Layer {
  const training = making.training ?? trainingOf(file, layer);
  if (training === false) holdInference(made);
  if (training !== true) return made;
  const className = made.getClassName();
  if (drawsInTraining.test(className))
    throw new WeightsError(file, layer.place, "is called with training=True, so that chance decides its output");
  if (className !== "BatchNormalization") return made;
  return new BatchStatisticsNormalization(made.getConfig() as never);
}

export function classOfUser(
  { className, config, isForeign, isOurs, module }: LayerConfig,
  making: Making,
): LayerClass | undefined {
  if (isOurs) return undefined;
  const given = making.layers.find((own) => own.className === className);
  if (given !== undefined) return given;
  const isStated = /^(tf_)?keras\b/.test(module) && "module" in config;
  return isForeign || !isStated ? (userClass(className) as LayerClass | undefined) : undefined;
}

/** Makes a layer of a user's class from its configuration, with keys in camelCase. */
function makeOfUser(own: LayerClass, config: LayerConfig["config"], name: string): Layer {
  const args = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key !== "dtype")
      .map(([key, value]) => [camelCase(key), value]),
  );
  const { fromConfig } = own as unknown as { fromConfig?(cls: LayerClass, config: object): Layer };
  const all = { ...args, name: safeName(name) };
  return fromConfig === undefined ? new own(all as never) : fromConfig.call(own, own, all);
}

/** Whether this package or the user has a class for this layer or operation. */
export function isKnown(layer: LayerConfig, making: Making): boolean {
  if (layer.className === "InputLayer" || classOfUser(layer, making) !== undefined) return true;
  if (layer.isForeign) return false;
  if (layer.stages !== undefined) return layer.stages.every((stage) => isKnown(stage, making));
  const operation = operationOf(layer);
  // The sizes of a tensor, which the model's other layers take as numbers.
  if (operation === "shape" && layer.className === "TFOpLambda") return true;
  if (operation !== undefined) return isKnownOperation(operation);
  return Object.hasOwn(makers, layer.className) || isModel(layer.className);
}

/** Throws if a layer states more weights than the file can fill, before memory is allocated for them. */
function limitWeights(layer: Layer, { left }: Making, refuse: (problem: string) => never): void {
  const guarded = layer as unknown as {
    addWeight(name: string, shape: readonly number[], ...rest: unknown[]): tfl.LayerVariable;
  };
  const add = guarded.addWeight.bind(layer);
  guarded.addWeight = (name, shape, ...rest) => {
    const count = shape.reduce((product, size) => product * size, 1);
    if (!(count >= 0 && count <= left.numbers))
      refuse(`its weight "${name}" of [${shape}] is more than the file has numbers for`);
    left.numbers -= count;
    return add(name, shape, ...rest);
  };
}

function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
