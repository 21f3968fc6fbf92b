import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { writeActivation } from "./activations.ts";
import type { OnnxGraph, Value } from "./graph.ts";

/** What a layer's writer gets. */
export interface Writing {
  readonly graph: OnnxGraph;
  readonly layer: tfl.layers.Layer;
  /** The layer's configuration as tfjs has it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Value[];
  readonly output: readonly (number | null)[];
  /** A weight by tfjs' name of it, with PyTorch's order of axes or tfjs' own; undefined where the layer has none. */
  weight(name: string, order: "torch" | "own"): NamedTensor | undefined;
  refuse(problem: string): never;
}

export type Write = (writing: Writing) => string;

export type Pair = readonly [number, number];

/** A map as tfjs has it, `[n, h, w, c]`. */
export function toTfjsOrder(graph: OnnxGraph, prefix: string, { name, shape }: Value): string {
  return shape.length === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 2, 3, 1] }) : name;
}

/** A map as ONNX has it, `[n, c, h, w]`. */
export function toOnnxOrder(graph: OnnxGraph, prefix: string, name: string, rank: number): string {
  return rank === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 3, 1, 2] }) : name;
}

/** Applies the layer's activation to its output. */
export function withActivation({ graph, layer, config, output, refuse }: Writing, x: string): string {
  const name = typeof config["activation"] === "string" ? config["activation"] : "linear";
  return writeActivation(graph, layer.name, name, x, output.length) ?? refuse(`the activation ${name} is not written`);
}

/** A weight that a layer may lack, as a node takes it. */
export function optional(graph: OnnxGraph, tensor: NamedTensor | undefined): string[] {
  return tensor === undefined ? [] : [graph.weight(tensor)];
}

/** A vector over the channels in the shape that stretches over a map. */
export function perChannel(tensor: NamedTensor, { shape }: Value): NamedTensor {
  const size = tensor.shape.reduce((product, side) => product * side, 1);
  return { ...tensor, shape: shape.length === 4 ? [size, 1, 1] : [size] };
}

/** The channels of a value. */
export function channelsOf({ shape }: Value): number {
  return shape.at(-1) as number;
}

/** A number for both axes, or the two. */
export function pairOf(value: unknown): Pair {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1] ?? value[0])] : [Number(value), Number(value)];
}

/** TensorFlow's "same": in numbers where the size is known, since then every runtime agrees; else by ONNX's word for it. */
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
