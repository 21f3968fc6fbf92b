import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { WeightsError } from "../../weights-error.ts";

/** Which output of which call of which layer. */
export interface TensorReference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** One use of a layer: the tensors it takes and the plain numbers beside them (`x * 2`), or one for every channel. */
export interface LayerCall {
  readonly inputs: readonly TensorReference[];
  readonly numbers: readonly (number | readonly number[])[];
  /** Whether the number stands before the tensor (`2 - x`). */
  readonly numberFirst: boolean;
  /** What is given by name: plain values, without those that are null. */
  readonly options: JsonObject;
  /** The first tensor's shape, where the file states it. */
  readonly shape?: readonly unknown[];
  /** What stands after the first argument, as it is in the file. */
  readonly rest: readonly unknown[];
}

export interface LayerConfig {
  readonly name: string;
  readonly className: string;
  /** Python's module: tells Keras 3's layers from its bare operations. */
  readonly module: string;
  readonly config: JsonObject;
  readonly calls: readonly LayerCall[];
  /** For errors: `layers[3] "conv1" of "resnet50"`. */
  readonly place: string;
  /** A layer that was given as this one's activation (`Conv2D(8, 3, activation=LeakyReLU(0.1))`): it comes after it. */
  readonly follower?: LayerConfig;
}

export interface ModelConfig {
  readonly name: string;
  readonly kind: "Sequential" | "Functional";
  readonly layers: readonly LayerConfig[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
  /** Of a sequential model that has no input layer. */
  readonly inputShape?: readonly (number | null)[];
}

export function isModel(className: string): boolean {
  return ["Sequential", "Functional", "Model"].includes(className);
}

/** A Keras 2 or 3 `model_config` (or a tfjs `modelTopology`) as one plain form; throws with the place of what it does not know. */
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
      ...(Array.isArray(shape) ? { inputShape: shape as (number | null)[] } : {}),
    };
  }
  return {
    name,
    kind: "Functional",
    layers,
    inputs: references(file, `${place}.input_layers`, config["input_layers"]),
    outputs: references(file, `${place}.output_layers`, config["output_layers"]),
  };
}

function readLayer(file: string, at: string, of: string, row: unknown): LayerConfig {
  if (!isObject(row) || typeof row["class_name"] !== "string" || !isObject(row["config"] ?? {})) {
    throw new WeightsError(file, `${at}${of}`, "expected a layer with class_name and config");
  }
  const config = isObject(row["config"]) ? row["config"] : {};
  const name = row["name"] ?? config["name"];
  const className = row["class_name"];
  const place = `${at} "${String(name)}" (${className})${of}`;
  if (typeof name !== "string") throw new WeightsError(file, place, "the layer has no name");
  const nodes = Array.isArray(row["inbound_nodes"]) ? row["inbound_nodes"] : [];
  const follower = activationLayer(config["activation"], `${name}.activation`, place);
  return {
    name,
    className,
    module: typeof row["module"] === "string" ? row["module"] : "keras.layers",
    config: Array.isArray(row["config"])
      ? { layers: row["config"] }
      : follower === undefined
        ? config
        : { ...config, activation: "linear" },
    calls: nodes.map((node: unknown) => readCall(file, place, node)),
    place,
    ...(follower === undefined ? {} : { follower }),
  };
}

/** Layers without weights that people give as an activation. */
const activationLayers = new Set(["ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"]);

function activationLayer(value: unknown, name: string, place: string): LayerConfig | undefined {
  if (!isObject(value) || !isObject(value["config"]) || !activationLayers.has(String(value["class_name"])))
    return undefined;
  const className = String(value["class_name"]);
  return { name, className, module: "keras.layers", config: value["config"], calls: [], place: `${place}.activation` };
}

/** One inbound node: Keras 3's `{args, kwargs}`, or Keras 2's list of `[layer, call, output, kwargs]`. */
function readCall(file: string, place: string, node: unknown): LayerCall {
  const inputs: TensorReference[] = [];
  const numbers: (number | readonly number[])[] = [];
  let numberFirst = false;
  let options: JsonObject = {};
  let shape: readonly unknown[] | undefined;
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) {
      if (isReference(value)) {
        inputs.push(toReference(value));
        const named = value[3];
        if (isObject(named)) {
          for (const [key, part] of Object.entries(named)) if (key === "y" || key === "x") collect(part);
          options = { ...options, ...plain(named) };
        }
      } else value.forEach(collect);
    } else if (isObject(value) && value["class_name"] === "__keras_tensor__") {
      const history = isObject(value["config"]) ? value["config"]["keras_history"] : undefined;
      if (!Array.isArray(history) || !isReference(history))
        throw new WeightsError(file, place, "an input without its history");
      const stated = isObject(value["config"]) ? value["config"]["shape"] : undefined;
      if (Array.isArray(stated)) shape ??= stated;
      inputs.push(toReference(history));
    } else if (isObject(value) && ["__numpy__", "__tensor__"].includes(String(value["class_name"]))) {
      numberFirst ||= inputs.length === 0;
      numbers.push(perChannel(isObject(value["config"]) ? value["config"]["value"] : undefined, file, place));
    } else if (typeof value === "number") {
      numberFirst ||= inputs.length === 0;
      numbers.push(value);
    }
  };
  if (isObject(node)) {
    collect(node["args"]);
    const kwargs = isObject(node["kwargs"]) ? node["kwargs"] : {};
    options = plain(kwargs);
    for (const [key, value] of Object.entries(kwargs)) {
      const count = inputs.length;
      collect(value);
      if (inputs.length > count && key !== "inputs")
        throw new WeightsError(file, place, `takes a tensor as its argument "${key}", which tfjs cannot`);
    }
  } else collect(node);
  if (inputs.length === 0) throw new WeightsError(file, place, "is called without a tensor");
  const args = isObject(node) ? node["args"] : undefined;
  const rest = Array.isArray(args) ? args.slice(1) : [];
  return { inputs, numbers, numberFirst, options, rest, ...(shape === undefined ? {} : { shape }) };
}

/** A constant of a number for every channel; its axes before the last must have one element. */
function perChannel(value: unknown, file: string, place: string): number | readonly number[] {
  let inner = value;
  while (Array.isArray(inner) && inner.length === 1) inner = inner[0] as unknown;
  if (typeof inner === "number") return inner;
  if (Array.isArray(inner) && inner.every((part) => typeof part === "number")) return inner;
  throw new WeightsError(file, place, "takes a constant with more axes than the channels, which tfjs cannot");
}

/** What is neither a tensor nor one of the two sides of an arithmetic. */
function plain(named: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(named).filter(
      ([key, value]) =>
        value !== null && !["inputs", "name", "x", "y"].includes(key) && !(Array.isArray(value) && isReference(value)),
    ),
  );
}

/** A list of `[layer, call, output]`, or one of them alone, as Keras 3 writes it; nested lists and dicts too. */
function references(file: string, place: string, value: unknown): TensorReference[] {
  const found: TensorReference[] = [];
  const collect = (part: unknown): void => {
    if (Array.isArray(part) && isReference(part)) found.push(toReference(part));
    else if (Array.isArray(part)) part.forEach(collect);
    else if (isObject(part)) Object.values(part).forEach(collect);
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
