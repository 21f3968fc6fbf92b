import { OptionError } from "@convkit/errors";
import { isMultiple } from "../../recording/record.ts";
import type { Dim, RecordedTensor, Recording } from "../../recording/record.ts";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { TensorData } from "../../bytes/named-tensor.ts";
import type { OnnxGraph, OnnxType } from "./graph.ts";
import { cast } from "./kernel-writer.ts";
import { kernelWriters } from "./kernels.ts";

/** A value that a recording gives, in tfjs' order of axes. */
export interface RecordedValue {
  readonly name: string;
  readonly dtype: OnnxType;
}

/**
 * Writes the kernels of a recording as ONNX operators. `inputs` are the names of its inputs, in tfjs' order of axes.
 * Throws an `OptionError` for a kernel without an operator.
 */
export function writeRecording(
  graph: OnnxGraph,
  prefix: string,
  recording: Recording,
  inputs: readonly string[],
): RecordedValue[] {
  const names = new Map<RecordedTensor, string>(recording.inputs.map((tensor, index) => [tensor, inputs[index]!]));
  const sizes = (dims: readonly Dim[]): string =>
    sizesOf(graph, prefix, dims, () => batchOf(graph, prefix, recording, inputs));
  const nameOf = (tensor: RecordedTensor): string => {
    const known = names.get(tensor);
    if (known !== undefined) return known;
    const made = constant(graph, prefix, tensor, sizes);
    names.set(tensor, made);
    return made;
  };
  for (const call of recording.calls) {
    const write = Object.hasOwn(kernelWriters, call.kernel) ? kernelWriters[call.kernel]! : undefined;
    if (write === undefined) throw new OptionError(`its operation ${call.kernel} has no operator in ONNX`);
    const made = [write({ graph, prefix, call, input: (name) => nameOf(call.inputs[name]!), sizes })].flat();
    for (const [index, output] of call.outputs.entries()) names.set(output, made[index]!);
  }
  return recording.outputs.map((tensor) => ({ name: nameOf(tensor), dtype: tensor.dtype as OnnxType }));
}

/** The number of samples as a vector of one number. */
function batchOf(graph: OnnxGraph, prefix: string, recording: Recording, inputs: readonly string[]): string {
  const index = recording.inputs.findIndex(({ shape: [first] }) => isMultiple(first) && first.times === 1);
  const shape = graph.node(prefix, "Shape", [inputs[index]!]);
  return graph.node(prefix, "Slice", [shape, graph.ints([0]), graph.ints([1])]);
}

function sizesOf(graph: OnnxGraph, prefix: string, dims: readonly Dim[], batch: () => string): string {
  if (!dims.some(isMultiple)) return graph.ints(dims as number[]);
  const samples = batch();
  const parts = dims.map((dim) => {
    if (!isMultiple(dim)) return graph.ints([dim]);
    return dim.times === 1 ? samples : graph.node(prefix, "Mul", [samples, graph.ints([dim.times])]);
  });
  return parts.length === 1 ? parts[0]! : graph.node(prefix, "Concat", parts, { axis: 0 });
}

/** Adds a weight or a constant. ONNX files of this package hold float32 and int32, so booleans are converted. */
function constant(
  graph: OnnxGraph,
  prefix: string,
  { shape, dtype, read, name }: RecordedTensor,
  sizes: (dims: readonly Dim[]) => string,
): string {
  if (read === undefined) throw new OptionError("expected a value that an operation before gives");
  const grows = shape.some(isMultiple);
  const stored = computedTensor({
    name: name ?? `${prefix}/constant`,
    shape: grows ? [] : (shape as number[]),
    dtype: dtype === "float32" ? "float32" : "int32",
    place: prefix,
    read: () => (dtype === "bool" ? Int32Array.from(read()) : (read() as TensorData)),
  });
  const written = graph.weight(stored);
  const typed = dtype === "bool" ? cast({ graph, prefix }, written, "bool") : written;
  return grows ? graph.node(prefix, "Expand", [typed, sizes(shape)]) : typed;
}
