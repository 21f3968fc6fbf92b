import { codeName } from "./class-name.ts";
import { isObject } from "../../bytes/json.ts";
import type { KerasGraph, KerasLayer, TakenTensor } from "./graph.ts";
import { opLambda } from "./tf-op-lambda.ts";
import type { TensorReference } from "./config.ts";

/** A model's configuration as Keras 3 writes it in `.keras`. */
export function keras3Config(graph: KerasGraph): object {
  return {
    module: "keras.src.models.functional",
    class_name: "Functional",
    config: {
      name: graph.name,
      trainable: true,
      layers: graph.layers.map(keras3Layer),
      input_layers: alone(graph.inputs.map(history)),
      output_layers: alone(graph.outputs.map((output) => outputHistory(graph, output))),
    },
    registered_name: "Functional",
  };
}

/** A model's configuration as Keras 2 writes it in `.h5`; Keras 3 reads it too. */
export function keras2Config(graph: KerasGraph, keras?: 2): object {
  return {
    class_name: "Functional",
    config: {
      name: graph.name,
      trainable: true,
      layers: graph.layers.map((layer) => keras2Layer(layer, keras)),
      input_layers: graph.inputs.map(history),
      output_layers: graph.outputs.map((output) => outputHistory(graph, output)),
    },
  };
}

/** A layer's dtype policy, as Keras 3 writes it. */
const keras3Policy = (name = "float32"): object => ({
  module: "keras",
  class_name: "DTypePolicy",
  config: { name },
  registered_name: null,
});

/** A layer's dtype policy in an .h5: a word. Keras 3 cannot read the object that Keras 2 writes; both take the word. */
const keras2Policy = (name = "float32"): string => name;

function keras3Layer(layer: KerasLayer): object {
  const { name, className, config, calls, inner, operation, module = "keras.layers", policy } = layer;
  if (operation !== undefined) {
    const inbound_nodes = calls.map((call) =>
      operation.args === undefined
        ? keras3Node(call, { numbers: operation.numbers ?? [] })
        : slotNode(call, operation.args),
    );
    return {
      module: operation.module,
      class_name: className,
      config: { name, ...operation.config },
      registered_name: className,
      name,
      inbound_nodes,
    };
  }
  if (inner !== undefined)
    return {
      ...keras3Config(inner),
      name,
      inbound_nodes: calls.map((call) => keras3Node(call, { options: callOptions(layer) })),
    };
  const shared =
    className === "InputLayer"
      ? { name, dtype: "float32", sparse: false, ragged: false }
      : { name, dtype: keras3Policy(policy) };
  return {
    module,
    class_name: className,
    config: { ...shared, ...wrapped(config) },
    registered_name: module === "keras.layers" ? null : className,
    name,
    inbound_nodes: calls.map((call) => keras3Node(call, { className, options: callOptions(layer) })),
  };
}

/** Layers that take their tensors one by one, not as a list. */
const takesOneByOne = new Set(["GroupQueryAttention", "MultiHeadAttention"]);

/** Layers that take a list of masks. */
const takesMasks = new Set(["AdditiveAttention", "Attention"]);

/** The arguments of a layer's calls besides its tensors. */
function callOptions({ options, training: stated, isHeld }: KerasLayer): object {
  const training = stated ?? (isHeld === true ? false : undefined);
  return { ...options, ...(training === undefined ? {} : { training }) };
}

/** One call of a layer. */
function keras3Node(
  call: readonly TakenTensor[],
  {
    numbers = [],
    className = "",
    options = {},
  }: { numbers?: readonly unknown[]; className?: string; options?: object } = {},
): object {
  const tensors = call.filter(({ role }) => role === undefined).map(keras3Tensor);
  const roles = new Set(call.flatMap(({ role }) => (role === undefined ? [] : [role])));
  const given = [...roles].map((role) => {
    const values = call.filter((tensor) => tensor.role === role).map(keras3Tensor);
    if (role === "value_mask" && takesMasks.has(className)) return ["mask", [null, values[0]!]] as const;
    const isList = role === "initial_state" || takesMasks.has(className);
    return [role, isList ? values : values[0]!] as const;
  });
  return {
    args: [...(tensors.length === 1 || takesOneByOne.has(className) ? tensors : [tensors]), ...numbers],
    kwargs: { ...Object.fromEntries(given), ...options },
  };
}

/** One call of an operation whose arguments name its tensors by `{ slot }`. */
function slotNode(call: readonly TakenTensor[], args: readonly unknown[]): object {
  const filled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(filled);
    return isObject(value) && typeof value["slot"] === "number" ? keras3Tensor(call[value["slot"]]!) : value;
  };
  return { args: args.map(filled), kwargs: {} };
}

function keras3Tensor(reference: TakenTensor): object {
  return {
    class_name: "__keras_tensor__",
    config: { shape: reference.shape, dtype: "float32", keras_history: history(reference) },
  };
}

function keras2Layer(layer: KerasLayer, keras: 2 | undefined): object {
  if (layer.operation !== undefined) return opLambda(layer);
  const { name, className, config, calls, inner, policy } = layer;
  const options = callOptions(layer);
  const inbound_nodes = calls.map((call) => keras2Node(className, call, options, keras));
  if (inner !== undefined) return { ...keras2Config(inner, keras), name, inbound_nodes };
  const { batch_shape: shape, ...rest } = className === "LeakyReLU" ? leakyConfig(config) : config;
  const own =
    className === "InputLayer"
      ? { batch_input_shape: shape, dtype: "float32", sparse: false, ragged: false, name }
      : // In Keras 2 this name means another function. The policy, unknown to Keras 2, keeps it from reading the file.
        { name, dtype: rest["activation"] === "hard_sigmoid" ? keras3Policy(policy) : keras2Policy(policy), ...rest };
  // Keras looks the classes of an .h5 up by their names in its code.
  return { class_name: codeName(className), config: own, name, inbound_nodes };
}

/** Keras 2 knows the slope as alpha. Keras 3 takes both names. */
function leakyConfig({ negative_slope: alpha, ...rest }: KerasLayer["config"]): KerasLayer["config"] {
  return { ...rest, alpha };
}

/**
 * One call as Keras 2 writes it. Keras 3 takes the tensors of an attention layer, and first states, in its own form
 * only; Keras 2 takes first states after the sequence.
 */
function keras2Node(className: string, call: readonly TakenTensor[], options: object, keras: 2 | undefined): unknown {
  const isOwn = call.some(({ role }) => role !== undefined && !(keras === 2 && role === "initial_state"));
  if (isOwn || takesOneByOne.has(className)) return keras3Node(call, { className, options });
  return call.map((reference) => [...history(reference), options]);
}

/** Keras 3 names the module of every initializer, regularizer and constraint. */
function wrapped(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const kind = /_(initializer|regularizer|constraint)$/.exec(key)?.[1];
      // A layer within a layer.
      if (isObject(value) && value["module"] === "keras.layers")
        return [key, { ...value, config: wrapped(value["config"] as Record<string, unknown>) }];
      return [
        key,
        kind === undefined || value === null
          ? value
          : { module: `keras.${kind}s`, ...(value as object), registered_name: null },
      ];
    }),
  );
}

function history({ layer, call, output }: TensorReference): [string, number, number] {
  return [layer, call, output];
}

/** In a model's outputs Keras counts calls of a nested model from 1, since making that model counts as a call. */
function outputHistory(graph: KerasGraph, { layer, call, output }: TensorReference): [string, number, number] {
  const isModel = graph.layers.some(({ name, inner }) => name === layer && inner !== undefined);
  return [layer, isModel ? call + 1 : call, output];
}

/** Unwraps a list of one. Keras 3 distinguishes a tensor from a list of one tensor. */
function alone<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? list[0]! : list;
}
