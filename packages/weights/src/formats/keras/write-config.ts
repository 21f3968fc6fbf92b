import type { KerasGraph, KerasLayer, TakenTensor } from "./graph.ts";
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
export function keras2Config(graph: KerasGraph): object {
  return {
    class_name: "Functional",
    config: {
      name: graph.name,
      trainable: true,
      layers: graph.layers.map(keras2Layer),
      input_layers: graph.inputs.map(history),
      output_layers: graph.outputs.map((output) => outputHistory(graph, output)),
    },
  };
}

/** A layer's dtype policy, as Keras 3 writes it. */
const policy = { module: "keras", class_name: "DTypePolicy", config: { name: "float32" }, registered_name: null };

function keras3Layer(layer: KerasLayer): object {
  const { name, className, config, calls, inner, operation } = layer;
  if (operation !== undefined) {
    const inbound_nodes = calls.map((call) => keras3Node(call, operation.numbers));
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
    return { ...keras3Config(inner), name, inbound_nodes: calls.map((call) => keras3Node(call, [], layer.isHeld)) };
  const shared =
    className === "InputLayer" ? { name, dtype: "float32", sparse: false, ragged: false } : { name, dtype: policy };
  return {
    module: "keras.layers",
    class_name: className,
    config: { ...shared, ...wrapped(config) },
    registered_name: null,
    name,
    inbound_nodes: calls.map((call) => keras3Node(call, [], layer.isHeld)),
  };
}

function keras3Node(call: readonly TakenTensor[], numbers: readonly unknown[] = [], isHeld: boolean = false): object {
  const tensors = call.map((reference) => ({
    class_name: "__keras_tensor__",
    config: { shape: reference.shape, dtype: "float32", keras_history: history(reference) },
  }));
  return {
    args: [...(tensors.length === 1 ? tensors : [tensors]), ...numbers],
    kwargs: isHeld ? { training: false } : {},
  };
}

function keras2Layer(layer: KerasLayer): object {
  const { name, className, config, calls, inner } = layer;
  const options = layer.isHeld === true ? { training: false } : {};
  const inbound_nodes = calls.map((call) => call.map((reference) => [...history(reference), options]));
  if (inner !== undefined) return { ...keras2Config(inner), name, inbound_nodes };
  const { batch_shape: shape, ...rest } = config;
  const own =
    className === "InputLayer"
      ? { batch_input_shape: shape, dtype: "float32", sparse: false, ragged: false, name }
      : // In Keras 2 this name means another function. The policy, unknown to Keras 2, keeps it from reading the file.
        { name, dtype: rest["activation"] === "hard_sigmoid" ? policy : "float32", ...rest };
  return { class_name: className, config: own, name, inbound_nodes };
}

/** Keras 3 names the module of every initializer, regularizer and constraint. */
function wrapped(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const kind = /_(initializer|regularizer|constraint)$/.exec(key)?.[1];
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
