import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { memoryTensor } from "../../../bytes/named-tensor.ts";
import { functionName, registerFunctions } from "../../../layers/activations.ts";
import type { LayerClass } from "../../keras/import-layer.ts";
import { plain, range } from "./arrange.ts";
import type { Builder } from "./builder.ts";
import type { Value } from "./value.ts";
import { nested } from "./constant-tensors.ts";
import { runSize } from "./value.ts";
import type { Constant } from "./constant.ts";
import { isSubgraph } from "./node.ts";
import type { OnnxNode } from "./node.ts";
import type { Read } from "./ops/read.ts";
import { newAxis, sizeOfAxis } from "./signal.ts";
import type { Axis, Signal } from "./signal.ts";
import { unknownSize } from "./sizes.ts";

/** What a user gives for operators that are not known here. */
export interface UserOps {
  /** Layer classes: `className` is the operator's name. */
  readonly layers?: readonly LayerClass[] | undefined;
  /** Functions of one tensor by the operator's name. */
  readonly functions?: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> | undefined;
}

/**
 * Reads operators of the user's by name. A layer is made of the node's attributes and gets the node's inputs in the
 * order of axes that the file has (channels first, as PyTorch exports). The class' `constantInputs` names the options that
 * the first constant inputs are, as numbers or nested lists; the other ones become its weights, in order.
 */
export function userReads({ layers = [], functions = {} }: UserOps): ReadonlyMap<string, Read> {
  registerFunctions(functions);
  const named = Object.keys(functions).map((name): [string, Read] => [name, applyFunction(name)]);
  return new Map([...named, ...layers.map((own): [string, Read] => [own.className, applyLayer(own)])]);
}

function applyFunction(name: string): Read {
  return (builder, node) => {
    const signal = inOrder(builder, node, builder.signal(node));
    const activation = functionName(name) as "relu";
    const layer = tfl.layers.activation({ name: builder.layerName(node), activation });
    return { ...signal, tensor: builder.apply(node, layer, [signal.tensor])[0]! };
  };
}

function applyLayer(own: LayerClass): Read {
  return (builder, node) => {
    const inputs = node.inputs.map((_, index) => builder.optional(node, index));
    const signals = inputs.flatMap((value) => (value?.kind === "signal" ? [inOrder(builder, node, value)] : []));
    const constants = inputs.flatMap((value) => (value?.kind === "constant" ? [value] : []));
    if (signals.length === 0) builder.refuse(node, "expected an input that depends on the model's input");
    const { constantInputs = [] } = own as { readonly constantInputs?: readonly string[] };
    const options = constantInputs.flatMap((name, index): [string, unknown][] => {
      const constant = constants[index];
      return constant === undefined ? [] : [[name, nested(constant)]];
    });
    const config = { ...plainAttributes(node), ...Object.fromEntries(options), name: builder.layerName(node) };
    const layer = made(own, config);
    const results = builder.apply(
      node,
      layer,
      signals.map(({ tensor }) => tensor),
    );
    assignConstants(builder, node, layer, constants.slice(constantInputs.length));
    return results.map((tensor, index) => resultOf(node, tensor, signals[0]!, index));
  };
}

/** The signal with one axis of its tensor for each of ONNX' axes, in their order. */
function inOrder(builder: Builder, node: OnnxNode, signal: Signal): Signal {
  return plain(builder, node, signal, range(0, signal.axes.length));
}

function made(own: LayerClass, config: object): tfl.layers.Layer {
  const { fromConfig } = own as unknown as { fromConfig?(cls: LayerClass, config: object): tfl.layers.Layer };
  return fromConfig === undefined ? new own(config as never) : fromConfig.call(own, own, config);
}

/** Attributes that are numbers, words and lists of them; a tensor comes as a list of its numbers. */
function plainAttributes({ attributes }: OnnxNode): Record<string, unknown> {
  const isTensor = (value: unknown): value is Constant =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      isSubgraph(value) ? [] : [[name, isTensor(value) ? Array.from(value.read()) : value]],
    ),
  );
}

function assignConstants(
  builder: Builder,
  node: OnnxNode,
  layer: tfl.layers.Layer,
  constants: readonly Constant[],
): void {
  const { weights } = layer;
  if (weights.length !== constants.length)
    builder.refuse(
      node,
      `has ${constants.length} constant inputs, but the layer given for it has ${weights.length} weights: a class with static constantInputs = ["name"] takes them as options`,
    );
  for (const [index, variable] of weights.entries()) {
    const constant = constants[index]!;
    const shape = variable.shape as number[];
    if (String(shape) !== String(constant.shape))
      builder.refuse(
        node,
        `its weight ${index} is [${constant.shape.join(", ")}], the layer given for it has [${shape.join(", ")}]`,
      );
    const read = (): Float32Array<ArrayBuffer> => Float32Array.from(constant.read());
    const tensor = { ...memoryTensor(variable.originalName, shape, new Float32Array(0)), read };
    builder.assignments.push({ name: variable.originalName, variable, tensor, shape });
  }
}

/** An output. Axes whose size stays are those of the first input, so that the batch is known. */
function resultOf(node: OnnxNode, tensor: tfl.SymbolicTensor, input: Signal, index: number): Value {
  const axes = tensor.shape.map((size, place): Axis => {
    const same = input.axes[place];
    if (same !== undefined && runSize(sizeOfAxis(same)) === size) return same;
    return newAxis(size ?? unknownSize(`${node.outputs[index]}.${place}`));
  });
  const type = tensor.dtype === "int32" ? "int" : tensor.dtype === "bool" ? "bool" : "float";
  return { kind: "signal", tensor, axes, physical: axes, type, isRaw: false };
}
