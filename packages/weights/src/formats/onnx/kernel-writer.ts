import { OptionError } from "@convkit/errors";
import type { Dim, KernelCall, RecordedTensor } from "../../recording/record.ts";
import { clip } from "./activations.ts";
import { dataTypes } from "./graph.ts";
import type { OnnxGraph } from "./graph.ts";

/** The arguments of a kernel's writer. Values are in tfjs' order of axes. */
export interface KernelWriting {
  readonly graph: OnnxGraph;
  readonly prefix: string;
  readonly call: KernelCall;
  /** The name of an input. */
  input(name: string): string;
  /** A vector of sizes, which may grow with the batch. */
  sizes(dims: readonly Dim[]): string;
}

export type WriteKernel = (writing: KernelWriting) => string | string[];

/** A number of the type of a tensor. */
export function like({ graph, prefix }: KernelWriting, { dtype }: RecordedTensor, value: number): string {
  return dtype === "int32" ? graph.int32(prefix, [value], []) : graph.floats(prefix, [value], []);
}

/** Changes the type of a value. */
export function cast(
  { graph, prefix }: Pick<KernelWriting, "graph" | "prefix">,
  x: string,
  type: keyof typeof dataTypes,
): string {
  return graph.node(prefix, "Cast", [x], { to: dataTypes[type] });
}

/** Adds the bias of a fused kernel and applies its activation. */
export function finished(writing: KernelWriting, y: string): string {
  const { graph, prefix, call, input } = writing;
  const sum = call.inputs["bias"] === undefined ? y : graph.node(prefix, "Add", [y, input("bias")]);
  const activation = (call.attrs["activation"] ?? "linear") as string;
  if (activation === "linear") return sum;
  if (activation === "relu6") return clip(graph, prefix, sum, 0, 6);
  if (activation === "prelu") return graph.node(prefix, "PRelu", [sum, input("preluActivationWeights")]);
  if (activation === "leakyrelu")
    return graph.node(prefix, "LeakyRelu", [sum], { alpha: { float: Number(call.attrs["leakyreluAlpha"]) } });
  const ops: Readonly<Record<string, string>> = { relu: "Relu", elu: "Elu", sigmoid: "Sigmoid" };
  const op = ops[activation];
  if (op === undefined) throw new OptionError(`expected a known activation, got ${activation}`);
  return graph.node(prefix, op, [sum]);
}
