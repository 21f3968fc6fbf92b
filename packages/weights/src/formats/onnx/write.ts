import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ByteSink } from "@convkit/files";
import { inOrder, usesOf } from "../../model/layer-uses.ts";
import { isKnownLayer } from "../../layers/register.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { weightName } from "../../model/weight-name.ts";
import { layerNames } from "../../model/model-layers.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { torchWeights } from "../torch/weights.ts";
import type { TorchWeight } from "../torch/weights.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { OnnxGraph, partBytes } from "./graph.ts";
import type { Value } from "./graph.ts";
import { layerWriters } from "./layers.ts";
import { encodeOnnx, fieldStart } from "./protos.ts";
import { toOnnxOrder, toTfjsOrder } from "./layer-writer.ts";

/** The operator set of written files, and the matching version of the file format (ONNX 1.12, 2022). */
const onnxOpset = 17;
const irVersion = 8;
/** Protobuf's limit of 2 GiB, less 100 bytes for the fields before the graph. */
const sizeLimit = 2 ** 31 - 100;

/**
 * Writes a model as ONNX: inputs and outputs in tfjs' order (`[batch, h, w, c]`), any batch size, channels first
 * inside. Throws `WeightsError` naming every layer without an ONNX operator.
 */
export function writeOnnx(
  sink: ByteSink,
  model: tfl.LayersModel,
  { file, metadata }: { readonly file: string; readonly metadata: ModelMetadata },
): void {
  const graph = new OnnxGraph();
  const problems: string[] = [];
  const weights = new Map(torchWeights(model).map((weight) => [weight.variable, weight]));
  const inputNames = names(layerNames(model.inputs), graph);
  const outputNames = names(layerNames(model.outputs), graph);
  const inputs = model.inputs.map(({ shape }, index): Value => ({ name: inputNames[index]!, shape: anyBatch(shape) }));
  const starts = inputs.map(({ name, shape }): Value => ({
    name: toOnnxOrder(graph, name, name, shape.length),
    shape,
  }));
  const results = writeModel(graph, model, starts, weights, problems);
  if (problems.length > 0)
    throw new WeightsError(file, `model "${model.name}"`, `cannot be written as ONNX:\n  ${problems.join("\n  ")}`);
  const outputs = results.map((value, index): Value => {
    const name = outputNames[index]!;
    graph.rename(toTfjsOrder(graph, name, value), name);
    return { name, shape: anyBatch(value.shape) };
  });
  const parts = graph.finish(model.name, inputs, outputs);
  const graphBytes = parts.reduce((sum, part) => sum + partBytes(part), 0);
  if (graphBytes > sizeLimit)
    throw new WeightsError(file, "", `ONNX files end at 2 GiB, this model needs ${graphBytes} bytes`);
  const text = metadataText(metadata);
  const about = {
    ir_version: irVersion,
    producer_name: "convkit",
    opset_import: [{ domain: "", version: onnxOpset }],
    metadata_props: text === undefined ? [] : [{ key: metadataKey, value: text }],
  };
  sink.write(encodeOnnx("ModelProto", about));
  sink.write(fieldStart("ModelProto", "graph", graphBytes));
  for (const part of parts) {
    if (part instanceof Uint8Array) sink.write(part);
    else {
      const data = part.read();
      const floats = data instanceof Float32Array ? data : Float32Array.from(data);
      sink.write(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
    }
  }
}

function writeModel(
  graph: OnnxGraph,
  model: tfl.LayersModel,
  inputs: readonly Value[],
  weights: ReadonlyMap<tfl.LayerVariable, TorchWeight>,
  problems: string[],
): Value[] {
  const values = new Map<number, Value>(model.inputs.map(({ id }, index) => [id, inputs[index]!]));
  for (const { layer, inputs: sources, outputs } of inOrder(usesOf(model))) {
    if (layer.getClassName() === "InputLayer") continue;
    const taken = sources.map(({ id }) => values.get(id)!);
    if ("layers" in layer) {
      const inner = writeModel(graph, layer as tfl.LayersModel, taken, weights, problems);
      for (const [index, output] of outputs.entries()) values.set(output.id, inner[index]!);
      continue;
    }
    const name = writeLayer(graph, layer, taken, outputs[0]!.shape, weights, problems);
    values.set(outputs[0]!.id, { name, shape: outputs[0]!.shape });
  }
  return model.outputs.map(({ id }) => values.get(id)!);
}

function writeLayer(
  graph: OnnxGraph,
  layer: tfl.layers.Layer,
  inputs: readonly Value[],
  output: readonly (number | null)[],
  weights: ReadonlyMap<tfl.LayerVariable, TorchWeight>,
  problems: string[],
): string {
  const className = layer.getClassName();
  const write = Object.hasOwn(layerWriters, className) ? layerWriters[className] : undefined;
  const refuse = (problem: string): never => {
    throw new WeightsError(layer.name, className, problem);
  };
  const weight = (name: string, order: "torch" | "own"): NamedTensor | undefined => {
    const variable = layer.weights.find((candidate) => weightName(candidate).replace(/_\d+$/, "") === name);
    if (variable === undefined) return undefined;
    const tensor = variableTensor(`${layer.name}/${name}`, variable);
    const turned = weights.get(variable);
    if (order === "own" || turned === undefined) return tensor;
    return { ...tensor, shape: turned.torchShape, read: () => turned.toTorch(tensor.read()) };
  };
  try {
    if (!isKnownLayer(layer)) return refuse("is a class of yours, whose work ONNX has no operator for");
    if (write === undefined) return refuse("has no operator in ONNX");
    return write({ graph, layer, config: layer.getConfig(), inputs, output, weight, refuse });
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    problems.push(error.message);
    return inputs[0]!.name;
  }
}

/** A tensor's names without the counter that tfjs adds (`image_1`, `top/top`). */
function names(own: readonly string[], graph: OnnxGraph): string[] {
  return own.map((name) => graph.reserve(name));
}

function anyBatch(shape: readonly (number | null)[]): (number | null)[] {
  return [null, ...shape.slice(1)];
}
