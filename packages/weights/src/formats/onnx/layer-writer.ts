import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { writeActivation } from "./activations.ts";
import type { OnnxGraph, Value } from "./graph.ts";

/** The arguments of a layer's writer. */
export interface Writing {
  readonly graph: OnnxGraph;
  readonly layer: tfl.layers.Layer;
  /** The layer's configuration as tfjs has it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Value[];
  readonly output: readonly (number | null)[];
  /** A weight by its tfjs name, in PyTorch's or tfjs' order of axes; undefined if the layer lacks it. */
  weight(name: string, order: "torch" | "own"): NamedTensor | undefined;
  refuse(problem: string): never;
}

export type Write = (writing: Writing) => string;

export type Pair = readonly [number, number];

/** Transposes a feature map to tfjs' order, `[n, h, w, c]`. */
export function toTfjsOrder(graph: OnnxGraph, prefix: string, { name, shape }: Value): string {
  return shape.length === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 2, 3, 1] }) : name;
}

/** Transposes a feature map to ONNX's order, `[n, c, h, w]`. */
export function toOnnxOrder(graph: OnnxGraph, prefix: string, name: string, rank: number): string {
  return rank === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 3, 1, 2] }) : name;
}

/** Applies the layer's activation to its output. */
export function withActivation({ graph, layer, config, output, refuse }: Writing, x: string): string {
  const name = typeof config["activation"] === "string" ? config["activation"] : "linear";
  return writeActivation(graph, layer.name, name, x, output.length) ?? refuse(`the activation ${name} is not written`);
}

/** The input names for an optional weight: one name or none. */
export function optional(graph: OnnxGraph, tensor: NamedTensor | undefined): string[] {
  return tensor === undefined ? [] : [graph.weight(tensor)];
}

/** Reshapes a vector over the channels so that it broadcasts over a feature map. */
export function perChannel(tensor: NamedTensor, { shape }: Value): NamedTensor {
  const size = tensor.shape.reduce((product, side) => product * side, 1);
  return { ...tensor, shape: shape.length === 4 ? [size, 1, 1] : [size] };
}

/** The channels of a value. */
export function channelsOf({ shape }: Value): number {
  return shape.at(-1) as number;
}

/** A pair from one number for both axes, or from two numbers. */
export function pairOf(value: unknown): Pair {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1] ?? value[0])] : [Number(value), Number(value)];
}

/** TensorFlow's "same": explicit numbers if the size is known, since runtimes then agree; else ONNX's own attribute. */
export function samePadding(
  config: Writing["config"],
  { shape }: Value,
  size: readonly number[],
  strides: Pair,
  dilations: Pair,
): { pads?: number[]; auto_pad?: string } {
  if (config["padding"] !== "same") return { pads: [0, 0, 0, 0] };
  const [, height, width] = shape;
  if (height == null || width == null) return { auto_pad: "SAME_UPPER" };
  const totals = [height, width].map((length, axis) => {
    const reach = (size[axis]! - 1) * dilations[axis]! + 1;
    return Math.max(0, (Math.ceil(length / strides[axis]!) - 1) * strides[axis]! + reach - length);
  });
  return { pads: [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))] };
}
