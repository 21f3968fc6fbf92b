import { byCodePoints } from "../../bytes/encoding.ts";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { WeightsError } from "../../weights-error.ts";

/** One output of one call of a layer. */
export interface TensorReference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** One call of a layer, with all its arguments. */
export interface LayerCall {
  /** The call's tensors, in the order in which Keras flattens the arguments. */
  readonly inputs: readonly TensorReference[];
  /** The arguments by position, then by name; a tensor among them is a `Slot`, an array a `Constant`. */
  readonly args: readonly unknown[];
  readonly kwargs: JsonObject;
  /** The first tensor's shape, if the file states it. */
  readonly shape?: readonly unknown[];
  /** The number of axes of each tensor, once the tensors are made. */
  readonly ranks?: readonly number[];
  /** The call's `training` argument; undefined if the call has none, or has the default that Keras 3 writes. */
  readonly training?: boolean;
}

/** A tensor among the arguments of a call: its index in `LayerCall.inputs`. */
export class Slot {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** A constant array of numbers among the arguments of a call. */
export class Constant {
  /** A number, or nested lists of numbers. */
  readonly value: unknown;
  readonly dtype: string;
  constructor(value: unknown, dtype: string) {
    this.value = value;
    this.dtype = dtype;
  }
}

export interface LayerConfig {
  readonly name: string;
  readonly className: string;
  /** The Python module, which distinguishes Keras 3's layers from its bare operations. */
  readonly module: string;
  /** True for a class of a user: the file names a module or package outside Keras and TensorFlow. */
  readonly isForeign: boolean;
  /** True if our writer marked the class as one of this package. */
  readonly isOurs: boolean;
  /** True if our writer marked the layer as one that ends a mask whatever its class. */
  readonly endsMask?: boolean;
  /** True if Keras 2 states that one layer object occurs at several places in the file. */
  readonly isShared: boolean;
  readonly config: JsonObject;
  readonly calls: readonly LayerCall[];
  /** For errors: `layers[3] "conv1" of "resnet50"`. */
  readonly place: string;
  /**
   * The layer given as this layer's activation (`Conv2D(8, 3, activation=LeakyReLU(0.1))`); it is applied afterwards.
   */
  readonly follower?: LayerConfig;
  /** The layers of a Pipeline, which are applied one after another. */
  readonly stages?: readonly LayerConfig[];
}

export interface ModelConfig {
  readonly name: string;
  readonly kind: "Sequential" | "Functional";
  readonly layers: readonly LayerConfig[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
  /** True if calls are Keras 3's dictionaries of args and kwargs, false if they are lists as in Keras 2 and tfjs. */
  readonly isKeras3: boolean;
  /** The input shape of a sequential model without an input layer. */
  readonly inputShape?: readonly (number | null)[];
}

export function isModel(className: string): boolean {
  return ["Sequential", "Functional", "Model"].includes(className);
}

/**
 * Reads a Keras 2 or 3 `model_config` or a tfjs `modelTopology` into one common form. Throws with the place of an
 * unknown entry.
 */
export function readModelConfig(file: string, value: JsonObject): ModelConfig {
  const unwrapped = isObject(value["model_config"]) ? value["model_config"] : value;
  return readModel(file, "model_config", unwrapped);
}

export function readModel(file: string, place: string, value: JsonObject): ModelConfig {
  const className = String(value["class_name"]);
  const inner = value["config"];
  if (!isModel(className)) {
    throw new WeightsError(
      file,
      place,
      `expected a sequential or functional model, got ${className}: a subclassed model holds its code in Python only`,
    );
  }
  const config: JsonObject = Array.isArray(inner) ? { layers: inner } : isObject(inner) ? inner : {};
  const name = typeof config["name"] === "string" ? config["name"] : className.toLowerCase();
  const rows = config["layers"];
  if (!Array.isArray(rows) || rows.length === 0)
    throw new WeightsError(file, `${place} "${name}"`, "expected a list of layers");
  const layers = rows.map((row: unknown, index) => readLayer(file, `layers[${index}]`, ` of "${name}"`, row));
  const names = new Set<string>();
  for (const layer of layers) {
    if (names.has(layer.name)) throw new WeightsError(file, layer.place, "the model has this layer twice");
    names.add(layer.name);
  }
  if (className === "Sequential") {
    const shape = config["build_input_shape"] ?? layers[0]?.config["batch_input_shape"];
    return {
      name,
      kind: "Sequential",
      layers,
      inputs: [],
      outputs: [],
      isKeras3: false,
      ...(Array.isArray(shape) ? { inputShape: shape as (number | null)[] } : {}),
    };
  }
  return {
    name,
    kind: "Functional",
    layers,
    inputs: references(file, `${place}.input_layers`, config["input_layers"]),
    outputs: references(file, `${place}.output_layers`, config["output_layers"]),
    isKeras3: rows.some(
      (row) => isObject(row) && Array.isArray(row["inbound_nodes"]) && row["inbound_nodes"].some(isObject),
    ),
  };
}

function readLayer(file: string, at: string, of: string, row: unknown): LayerConfig {
  if (!isObject(row) || typeof row["class_name"] !== "string" || !isObject(row["config"] ?? {})) {
    throw new WeightsError(file, `${at}${of}`, "expected a layer with class_name and config");
  }
  const config = isObject(row["config"]) ? row["config"] : {};
  const name = row["name"] ?? config["name"];
  const [className, isForeign] = classOf(row["class_name"], row["module"], row["registered_name"]);
  const place = `${at} "${String(name)}" (${row["class_name"]})${of}`;
  if (typeof name !== "string") throw new WeightsError(file, place, "the layer has no name");
  const nodes = Array.isArray(row["inbound_nodes"]) ? row["inbound_nodes"] : [];
  const follower = activationLayer(config["activation"], `${name}.activation`, place);
  const within = className === "Pipeline" && !isForeign ? config["layers"] : undefined;
  const stages = Array.isArray(within)
    ? within.map((inner: unknown, index) => readLayer(file, `layers[${index}]`, ` of "${name}"`, inner))
    : [];
  return {
    name,
    className,
    module: typeof row["module"] === "string" ? row["module"] : "keras.layers",
    isForeign,
    isOurs: row["module"] === ownModule,
    endsMask: row["ends_mask"] === true,
    isShared: row["shared_object_id"] !== undefined,
    config: Array.isArray(row["config"])
      ? { layers: row["config"] }
      : follower === undefined
        ? config
        : { ...config, activation: "linear" },
    calls: nodes.map((node: unknown) => readCall(file, place, node, className)),
    place,
    ...(follower === undefined ? {} : { follower }),
    ...(stages.length === 0 ? {} : { stages }),
  };
}

/** Layers that are commonly passed as an activation. */
const activationLayers = new Set(["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]);

function activationLayer(value: unknown, name: string, place: string): LayerConfig | undefined {
  if (value === "glu") {
    const own = { name, op: "glu", values: { x: { slot: 0 } } };
    return {
      name,
      className: "Operation",
      module: "keras.layers",
      isForeign: false,
      isOurs: true,
      isShared: false,
      config: own,
      calls: [],
      place,
    };
  }
  if (!isObject(value) || !isObject(value["config"]) || !activationLayers.has(String(value["class_name"])))
    return undefined;
  const className = String(value["class_name"]);
  return {
    name,
    className,
    module: "keras.layers",
    isForeign: false,
    isOurs: false,
    isShared: false,
    config: value["config"],
    calls: [],
    place: `${place}.activation`,
  };
}

/** The module that our tfjs writer states for our own classes. */
export const ownModule = "@convkit/weights";

/** A class' plain name, and whether the class is a user's, judged by its package ("mine>LayerScale") or its module. */
function classOf(written: string, module: unknown, registered: unknown): [className: string, isForeign: boolean] {
  const stated = typeof registered === "string" && registered.includes(">") ? registered : written;
  const [owner, own] = stated.includes(">") ? (stated.split(">", 2) as [string, string]) : [undefined, written];
  if (module === ownModule) return [written, false];
  const isKeras = typeof module === "string" && /^(tf_keras|keras|tensorflow)(\.|$)/.test(module);
  if (isKeras) return [written.includes(">") ? own : written, false];
  const isForeign = owner !== undefined || module === null || typeof module === "string";
  return [own, isForeign];
}

/** One inbound node: Keras 3's `{args, kwargs}`, or Keras 2's list of `[layer, call, output, kwargs]`. */
function readCall(file: string, place: string, node: unknown, className: string): LayerCall {
  const inputs: TensorReference[] = [];
  let shape: readonly unknown[] | undefined;
  let named: JsonObject = {};
  const take = (reference: readonly unknown[]): Slot => {
    inputs.push(toReference(reference));
    return new Slot(inputs.length - 1);
  };
  const convert = (value: unknown, legacy: boolean): unknown => {
    if (Array.isArray(value)) {
      if (legacy && value[0] === "_CONSTANT_VALUE" && value[1] === -1) {
        if (isObject(value[3])) named = { ...named, ...value[3] };
        return asConstant(value[2]);
      }
      if (legacy && isReference(value)) {
        if (isObject(value[3])) named = { ...named, ...value[3] };
        return take(value);
      }
      return value.map((part) => convert(part, legacy));
    }
    if (!isObject(value)) return value;
    const config = isObject(value["config"]) ? value["config"] : {};
    if (value["class_name"] === "__keras_tensor__") {
      const history = config["keras_history"];
      if (!Array.isArray(history) || !isReference(history))
        throw new WeightsError(file, place, "an input without its history");
      if (Array.isArray(config["shape"])) shape ??= config["shape"];
      return take(history);
    }
    if (["__numpy__", "__tensor__"].includes(String(value["class_name"])))
      return new Constant(config["value"], String(config["dtype"] ?? "float32"));
    if (value["class_name"] === "__tuple__" && Array.isArray(config["items"] ?? value["items"]))
      return convert(config["items"] ?? value["items"], legacy);
    if ("class_name" in value) return value;
    // Keras flattens a dict in the order of its sorted keys.
    return Object.fromEntries(sortedEntries(value).map(([key, part]) => [key, convert(part, legacy)]));
  };
  let args: unknown[];
  let kwargs: JsonObject;
  if (isObject(node)) {
    args = (Array.isArray(node["args"]) ? node["args"] : []).map((part) => convert(part, false));
    kwargs = convert(isObject(node["kwargs"]) ? node["kwargs"] : {}, false) as JsonObject;
  } else {
    const first = convert(node, true);
    const isAlone = Array.isArray(first) && first.length === 1 && !className.endsWith("OpLambda");
    args = [isAlone ? first[0] : first];
    kwargs = convert(named, true) as JsonObject;
  }
  if (inputs.length === 0) throw new WeightsError(file, place, "is called without a tensor");
  const { training, ...rest } = kwargs;
  return {
    inputs,
    args,
    kwargs: Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)),
    ...(shape === undefined ? {} : { shape }),
    ...(isStated(training, className, isObject(node)) ? { training } : {}),
  };
}

/**
 * Whether the user stated a call's `training`. Keras 3 writes the default, False, for layers like Dropout; of a model
 * and of batch normalization the default is None.
 */
function isStated(training: unknown, className: string, isKeras3: boolean): training is boolean {
  if (training === false && isKeras3) return isModel(className) || className === "BatchNormalization";
  return typeof training === "boolean";
}

function asConstant(value: unknown): unknown {
  return Array.isArray(value) ? new Constant(value, "float32") : value;
}

/** Entries sorted by Unicode code points, as Python sorts keys. */
function sortedEntries(value: JsonObject): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => byCodePoints(a, b));
}

/**
 * Reads `[layer, call, output]` (Keras 3 writes a single one bare), lists of them, nested lists, and dicts in the
 * order of sorted keys.
 */
function references(file: string, place: string, value: unknown): TensorReference[] {
  const found: TensorReference[] = [];
  const collect = (part: unknown): void => {
    if (Array.isArray(part) && isReference(part)) found.push(toReference(part));
    else if (Array.isArray(part)) part.forEach(collect);
    else if (isObject(part)) for (const [, inner] of sortedEntries(part)) collect(inner);
  };
  collect(value);
  if (found.length === 0) throw new WeightsError(file, place, "expected a list of [layer, call, output]");
  return found;
}

function isReference(value: readonly unknown[]): boolean {
  return typeof value[0] === "string" && Number.isInteger(value[1]) && Number.isInteger(value[2]);
}

function toReference([layer, call, output]: readonly unknown[]): TensorReference {
  return { layer: layer as string, call: call as number, output: output as number };
}
