import { concatBytes } from "../../bytes/encoding.ts";
import type { ModelMetadata } from "@convkit/core";
import { positionKey } from "@convkit/core/internal";
import type { ModelCall } from "@convkit/core/internal";
import { OptionError } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ByteSink } from "@convkit/files";
import { inOrder, usesOf } from "../../model/layer-uses.ts";
import { isKnownLayer } from "../../layers/register.ts";
import { metadataKey, metadataOf, metadataText } from "../../model/metadata-json.ts";
import { weightName } from "../../model/weight-name.ts";
import { layerNames, modelLayers } from "../../model/model-layers.ts";
import { runLayer, runModel } from "../../model/run-model.ts";
import { record } from "../../recording/record.ts";
import { writeRecording } from "./recorded.ts";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { torchWeights } from "../torch/weights.ts";
import type { TorchWeight } from "../torch/weights.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { OnnxGraph, partBytes } from "./graph.ts";
import type { Value } from "./graph.ts";
import { layerWriters } from "./layers.ts";
import { gradCamName, gradCamOf } from "./grad-cam.ts";
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
  {
    file,
    metadata,
    gradCam,
  }: {
    readonly file: string;
    readonly metadata: ModelMetadata;
    /** Adds Grad-CAM of the last map, or of the named layer, as an output. */
    readonly gradCam?: boolean | string | undefined;
  },
): void {
  const graph = new OnnxGraph();
  const problems: string[] = [];
  const weights = new Map(torchWeights(model).map((weight) => [weight.variable, weight]));
  const inputNames = names(layerNames(model.inputs), graph);
  const outputNames = names(layerNames(model.outputs), graph);
  const inputs = model.inputs.map(({ shape, dtype }, index): Value => ({
    name: inputNames[index]!,
    shape: anyBatch(shape),
    ...typeOf(dtype),
  }));
  const starts = inputs.map(({ name, ...rest }): Value => ({
    name: toOnnxOrder(graph, name, name, rest.shape.length),
    ...rest,
  }));
  const values = new Map<string, Value>();
  const results = hasMasks(model)
    ? writeRecordedModel(graph, model, starts, problems)
    : writeModel(graph, model, starts, { weights, problems, values });
  const heat = typeof gradCam === "string" || gradCam === true ? writeGradCam(graph, model, file, gradCam, values) : [];
  if (problems.length > 0)
    throw new WeightsError(file, `model "${model.name}"`, `cannot be written as ONNX:\n  ${problems.join("\n  ")}`);
  const outputs = results.map((value, index): Value => {
    const name = outputNames[index]!;
    graph.rename(toTfjsOrder(graph, name, value), name);
    return { ...value, name, shape: anyBatch(value.shape) };
  });
  const parts = graph.finish(model.name, inputs, [...outputs, ...heat]);
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
      const isWhole = part.dtype === "int32";
      const stored = isWhole || data instanceof Float32Array ? data : Float32Array.from(data);
      sink.write(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    }
  }
}

/**
 * The bytes of the ONNX file that `saveModel` would write: float32, any batch size, inputs in tfjs' order. The model's metadata is
 * in it. Throws `WeightsError` naming every layer without an ONNX operator.
 */
export function onnxBytes(model: tfl.LayersModel): Uint8Array {
  const parts: Uint8Array[] = [];
  let position = 0;
  const sink: ByteSink = {
    get position() {
      return position;
    },
    write(bytes) {
      parts.push(bytes.slice());
      position += bytes.byteLength;
    },
  };
  writeOnnx(sink, model, { file: `${model.name}.onnx`, metadata: metadataOf(`${model.name}.onnx`, model) });
  return concatBytes(parts);
}

/** What the layers of a model are written with. */
interface Writing {
  readonly weights: ReadonlyMap<tfl.LayerVariable, TorchWeight>;
  /** Gets a sentence for each layer that cannot be written. */
  readonly problems: string[];
  /** Gets every layer's output, by `positionKey`. */
  readonly values: Map<string, Value>;
}

function writeModel(
  graph: OnnxGraph,
  model: tfl.LayersModel,
  inputs: readonly Value[],
  writing: Writing,
  inside: readonly ModelCall[] = [],
): Value[] {
  const values = new Map<number, Value>(model.inputs.map(({ id }, index) => [id, inputs[index]!]));
  for (const { layer, inputs: sources, outputs } of inOrder(usesOf(model))) {
    if (layer.getClassName() === "InputLayer") continue;
    const taken = sources.map(({ id }) => values.get(id)!);
    if ("layers" in layer) {
      const call = { model: layer as tfl.LayersModel, node: outputs[0]!.nodeIndex, inputs: [] };
      const inner = writeModel(graph, call.model, taken, writing, [...inside, call]);
      for (const [index, output] of outputs.entries()) values.set(output.id, inner[index]!);
      continue;
    }
    const results = writeLayer(graph, layer, taken, outputs, writing);
    for (const [index, tensor] of outputs.entries()) {
      const result = results[index] ?? results[0]!;
      values.set(tensor.id, result);
      writing.values.set(positionKey({ tensor, inside }), result);
    }
  }
  return model.outputs.map(({ id }) => values.get(id)!);
}

/** Writes a layer by its writer or, without one that can, by the kernels that it runs in prediction. */
function writeLayer(
  graph: OnnxGraph,
  layer: tfl.layers.Layer,
  inputs: readonly Value[],
  outputs: readonly tfl.SymbolicTensor[],
  { weights, problems }: Writing,
): Value[] {
  const className = layer.getClassName();
  const { shape } = outputs[0]!;
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
    return computedTensor({ ...tensor, shape: turned.torchShape, read: () => turned.toTorch(tensor.read()) });
  };
  try {
    if (!isKnownLayer(layer)) return refuse("is a class of yours, whose work ONNX has no operator for");
    const areFloats = inputs.every(({ dtype = "float32" }) => dtype === "float32");
    try {
      if (write !== undefined && areFloats) {
        const writing = { graph, layer, config: layer.getConfig(), inputs, output: shape, weight, refuse };
        return [{ name: graph.attempt(() => write(writing)), shape }];
      }
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
    }
    return recorded(graph, layer.name, (xs) => runLayer(layer, xs), inputs, outputs, refuse);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    problems.push(error.message);
    return outputs.map(() => inputs[0]!);
  }
}

/** Writes a whole model by the kernels that it runs: a mask travels beside the values, and no layer alone sees it. */
function writeRecordedModel(
  graph: OnnxGraph,
  model: tfl.LayersModel,
  inputs: readonly Value[],
  problems: string[],
): Value[] {
  const refuse = (problem: string): never => {
    throw new WeightsError(model.name, model.getClassName(), problem);
  };
  try {
    return recorded(graph, model.name, (xs) => runModel(model, xs), inputs, model.outputs, refuse);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    problems.push(error.message);
    return model.outputs.map(() => inputs[0]!);
  }
}

/** Writes the gradient of the layers after a map, and the map that it weights, as an output `grad_cam`: `[n, h, w]`. */
function writeGradCam(
  graph: OnnxGraph,
  model: tfl.LayersModel,
  file: string,
  wanted: true | string,
  values: ReadonlyMap<string, Value>,
): Value[] {
  const { map, shape, fromMap } = gradCamOf(model, file, wanted === true ? undefined : wanted);
  const refuse = (problem: string): never => {
    throw new WeightsError(file, `Grad-CAM of ${map.path}`, problem);
  };
  const value = values.get(positionKey(map.position));
  if (value === undefined) return refuse("models with masks have none");
  const output = { shape: [null, ...shape] };
  const [heat] = recorded(graph, gradCamName, ([x]) => [fromMap(x!)], [value], [output], refuse);
  const name = graph.reserve(gradCamName);
  graph.rename(toTfjsOrder(graph, name, heat!), name);
  return [{ ...heat!, name }];
}

function recorded(
  graph: OnnxGraph,
  prefix: string,
  run: (inputs: tf.Tensor[]) => tf.Tensor[],
  inputs: readonly Value[],
  outputs: readonly Pick<tfl.SymbolicTensor, "shape">[],
  refuse: (problem: string) => never,
): Value[] {
  try {
    const recording = record(
      run,
      inputs.map(({ shape, dtype = "float32" }) => ({ shape, dtype })),
    );
    for (const [index, { shape }] of outputs.entries()) {
      const found = recording.outputs[index]!.shape;
      // The layers after this one are written for the sizes that the model states. A random crop in prediction is none.
      if (shape.some((size, axis) => typeof size === "number" && axis > 0 && size !== found[axis]))
        return refuse(`gives ${sizesOf(found)} in prediction, where the model states ${sizesOf(shape)}`);
    }
    const names = inputs.map((value) => toTfjsOrder(graph, prefix, value));
    return writeRecording(graph, prefix, recording, names).map(({ name, dtype }, index): Value => {
      const { shape } = outputs[index]!;
      return { name: toOnnxOrder(graph, prefix, name, shape.length), shape, dtype };
    });
  } catch (error) {
    if (error instanceof OptionError) return refuse(error.message);
    throw error;
  }
}

const sizesOf = (shape: readonly unknown[]): string =>
  `[${["batch", ...shape.slice(1).map((size) => (typeof size === "number" ? size : "any"))].join(", ")}]`;

/** Whether a layer of the model gives a mask. */
function hasMasks(model: tfl.LayersModel): boolean {
  return modelLayers(model).some(
    ({ layer }) => layer.getClassName() === "Masking" || layer.getConfig()["maskZero"] === true,
  );
}

/** ONNX has the types that tfjs has. */
function typeOf(dtype: string): Pick<Value, "dtype"> {
  return dtype === "int32" || dtype === "bool" ? { dtype } : {};
}

/** A tensor's names without the counter that tfjs adds (`image_1`, `top/top`). */
function names(own: readonly string[], graph: OnnxGraph): string[] {
  return own.map((name) => graph.reserve(name));
}

function anyBatch(shape: readonly (number | null)[]): (number | null)[] {
  return [null, ...shape.slice(1)];
}
