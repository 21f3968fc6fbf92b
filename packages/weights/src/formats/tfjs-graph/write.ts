import type { ModelMetadata } from "@convkit/core";
import { OptionError } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { runModel } from "../../model/run-model.ts";
import { foldConstants } from "../../recording/fold.ts";
import { isMultiple, record } from "../../recording/record.ts";
import type { Dim, RecordedTensor, Recording } from "../../recording/record.ts";
import type { FolderToFill } from "../../save/destination.ts";
import { WeightsError } from "../../weights-error.ts";
import { signatureNames } from "../saved-model.ts";
import { writeShards } from "../tfjs/shards.ts";
import type { Quantization } from "../tfjs/shards.ts";
import { GraphDef, attr, shapeProto, typeName } from "./graph.ts";
import { graphWriters } from "./kernels.ts";

/**
 * Writes a model as a tfjs graph model, which `tf.loadGraphModel` loads without any class of this package: a `model.json`
 * with a frozen GraphDef, and shards. Any batch size. Throws `WeightsError` for an operation that tfjs' converter does not
 * have.
 */
export async function writeTfjsGraph(
  folder: FolderToFill,
  model: tfl.LayersModel,
  {
    file,
    quantize,
    metadata,
  }: { readonly file: string; readonly quantize?: Quantization | undefined; readonly metadata: ModelMetadata },
): Promise<number> {
  const { graph, signature } = graphOf(file, model);
  const group = await writeShards(folder, graph.constants, quantize);
  const own = metadataText(metadata) === undefined ? {} : { [metadataKey]: metadata };
  const told = { ...model.getUserDefinedMetadata(), ...own };
  const document = {
    format: "graph-model",
    generatedBy: "convkit",
    convertedBy: "convkit",
    signature,
    modelTopology: { node: graph.nodes, library: {}, versions: { producer: 1882 } },
    weightsManifest: [group],
    ...(Object.keys(told).length === 0 ? {} : { userDefinedMetadata: told }),
  };
  await folder.write("model.json", JSON.stringify(document));
  return graph.constants.length;
}

function graphOf(file: string, model: tfl.LayersModel): { graph: GraphDef; signature: object } {
  try {
    const recording = foldConstants(
      record(
        (inputs) => runModel(model, inputs),
        model.inputs.map(({ shape, dtype }) => ({ shape, dtype })),
      ),
    );
    return written(model, recording);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new WeightsError(file, `model "${model.name}"`, `cannot be written as a tfjs graph model: ${error.message}`, {
      cause: error,
    });
  }
}

function written(model: tfl.LayersModel, recording: Recording): { graph: GraphDef; signature: object } {
  const graph = new GraphDef();
  const [inputNames, outputNames] = [signatureNames(model.inputs), signatureNames(model.outputs)];
  const names = new Map<RecordedTensor, string>(
    recording.inputs.map((tensor, index) => [
      tensor,
      graph.node(
        "Placeholder",
        [],
        { dtype: attr.type(tensor.dtype), shape: attr.shape(tensor.shape) },
        inputNames[index]!,
      ),
    ]),
  );
  const sizes = (dims: readonly Dim[]): string => sizesOf(graph, dims, recording.inputs, names);
  const nameOf = (tensor: RecordedTensor): string => {
    const known = names.get(tensor);
    if (known !== undefined) return known;
    const made = constant(graph, tensor, sizes);
    names.set(tensor, made);
    return made;
  };
  for (const call of recording.calls) {
    const write = Object.hasOwn(graphWriters, call.kernel) ? graphWriters[call.kernel]! : undefined;
    if (write === undefined) throw new OptionError(`tfjs' converter has no operation ${call.kernel}`);
    const made = [write({ graph, call, input: (name) => nameOf(call.inputs[name]!), sizes })].flat();
    for (const [index, output] of call.outputs.entries()) names.set(output, made[index]!);
  }
  const describe = (name: string, { dtype, shape }: RecordedTensor): object => ({
    name: `${name}:0`,
    dtype: typeName(dtype),
    tensorShape: shapeProto(shape),
  });
  const inputs = recording.inputs.map((tensor, index) => [inputNames[index]!, describe(nameOf(tensor), tensor)]);
  const outputs = recording.outputs.map((tensor, index) => {
    const name = graph.node("Identity", [nameOf(tensor)], { T: attr.type(tensor.dtype) }, outputNames[index]!);
    return [outputNames[index]!, describe(name, tensor)];
  });
  return { graph, signature: { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) } };
}

/** A vector of sizes: a constant, or numbers that are computed from the batch of an input. */
function sizesOf(
  graph: GraphDef,
  dims: readonly Dim[],
  inputs: readonly RecordedTensor[],
  names: ReadonlyMap<RecordedTensor, string>,
): string {
  if (!dims.some(isMultiple)) return graph.ints(dims as number[]);
  const source = inputs.find(({ shape: [first] }) => isMultiple(first) && first.times === 1)!;
  const int = { T: attr.type("int32") };
  const shape = graph.node("Shape", [names.get(source)!], { T: attr.type(source.dtype), out_type: attr.type("int32") });
  const batch = graph.node("StridedSlice", [shape, graph.ints([0]), graph.ints([1]), graph.ints([1])], {
    ...int,
    shrink_axis_mask: attr.int(1),
  });
  const parts = dims.map((dim) => {
    if (!isMultiple(dim)) return graph.ints(dim);
    return dim.times === 1 ? batch : graph.node("Mul", [batch, graph.ints(dim.times)], int);
  });
  return graph.node("Pack", parts, { ...int, N: attr.int(parts.length), axis: attr.int(0) });
}

function constant(graph: GraphDef, tensor: RecordedTensor, sizes: (dims: readonly Dim[]) => string): string {
  const { shape, dtype, read, name = "constant" } = tensor;
  if (read === undefined) throw new OptionError("expected a value that an operation before gives");
  const grows = shape.some(isMultiple);
  const stored = graph.constant({
    name,
    shape: grows ? [] : (shape as number[]),
    dtype: dtype as "float32",
    read,
  });
  return grows ? graph.node("Fill", [sizes(shape), stored], { T: attr.type(dtype as tf.DataType) }) : stored;
}
