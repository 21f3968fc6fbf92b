import protobuf from "protobufjs";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { FileFolder } from "../bytes/byte-source.ts";
import { isObject, parseJson } from "../bytes/json.ts";
import type { JsonObject } from "../bytes/json.ts";
import { countOf } from "../bytes/named-tensor.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { importModel } from "../formats/keras/import-model.ts";
import type { ImportOptions } from "../formats/keras/import-model.ts";
import { tellPolicy } from "../formats/keras/policy.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import { metadataBeside } from "../formats/saved-model.ts";
import { openTensorBundle } from "../formats/tensor-bundle.ts";
import type { CheckpointNode, TensorBundle } from "../formats/tensor-bundle.ts";
import { tellMetadata } from "../model/metadata-json.ts";
import { WeightsError } from "../weights-error.ts";
import { loadKerasLayers } from "./keras-layers.ts";

/** Source: keras/src/protobuf/saved_metadata.proto of Keras 2. */
const source = `
syntax = "proto3";
message SavedMetadata { repeated SavedObject nodes = 1; }
message SavedObject { int32 node_id = 2; string node_path = 3; string identifier = 4; string metadata = 5; }
`;
const savedMetadata = protobuf.parse(source, { keepCase: true }).root.lookupType("SavedMetadata");

const metadataLimit = 1 << 26;

/** Whether a folder is a SavedModel. */
export function isSavedModel(folder: FileFolder): boolean {
  return folder.has("saved_model.pb");
}

type KerasSavedModelOptions = Pick<ImportOptions, "layers" | "functions"> & {
  readonly onNote?: ((note: string) => void) | undefined;
};

/**
 * Loads a SavedModel that Keras 2 saved: its layers are in `keras_metadata.pb`, its weights in the checkpoint beside it.
 * Throws `WeightsError` for one without layers, as TensorFlow and Keras 3's `export` write it.
 */
export async function loadKerasSavedModel(
  files: FileFolder,
  { onNote, ...options }: KerasSavedModelOptions,
): Promise<tfl.LayersModel> {
  const folder = files.path;
  if (!files.has("keras_metadata.pb"))
    throw new WeightsError(
      folder,
      "",
      "is a SavedModel without layers, which only predicts: save the model in Keras as .keras, or export it as .onnx",
    );
  const { file, objects } = readObjects(files);
  const config = modelConfig(file, objects);
  const told = metadataBeside(files);
  const bundle = openTensorBundle(files, "variables/variables");
  try {
    const layers = objects.flatMap((object) => layerTensors(bundle, object));
    const maxNumbers = layers.reduce(
      (sum, { tensors }) => sum + tensors.reduce((count, { shape }) => count + countOf(shape), 0),
      1_000_000,
    );
    const model = importModel(file, config, { ...options, maxNumbers });
    await loadKerasLayers(folder, model, layers, { by: "name", onNote });
    tellPolicy(folder, config, onNote);
    tellMetadata(folder, model, told);
    return model;
  } finally {
    bundle.close();
  }
}

interface SavedObject {
  readonly path: readonly string[];
  readonly identifier: string;
  readonly metadata: JsonObject;
}

function readObjects(folder: FileFolder): { file: string; objects: SavedObject[] } {
  const opened = folder.open("keras_metadata.pb");
  const { file } = opened;
  try {
    if (opened.size > metadataLimit) throw new WeightsError(file, "", `of ${opened.size} bytes is too large`);
    const bytes = opened.read(0, opened.size);
    const { nodes = [] } = savedMetadata.toObject(savedMetadata.decode(bytes)) as {
      nodes?: { node_path?: string; identifier?: string; metadata?: string }[];
    };
    const objects = nodes.map(({ node_path: path = "", identifier = "", metadata = "{}" }) => ({
      path: path.split(".").slice(1),
      identifier,
      metadata: parseJson(metadata, file, path),
    }));
    return { file, objects };
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, "", `is not Keras' metadata: ${(error as Error).message}`, { cause: error });
  } finally {
    opened.close();
  }
}

function modelConfig(file: string, objects: readonly SavedObject[]): JsonObject {
  const whole = objects.find(({ path }) => path.length === 0)?.metadata;
  const config = whole?.["model_config"] ?? whole;
  if (
    !isObject(config) ||
    !isObject(config["config"]) ||
    !/^(Functional|Sequential|Model)$/.test(String(config["class_name"]))
  )
    throw new WeightsError(
      file,
      "root",
      `expected a functional or sequential model, got ${String(whole?.["class_name"])}: a subclass of Model is Python code; save it as .keras from functional layers`,
    );
  return { ...(withLists(config) as JsonObject), keras_version: String(whole?.["keras_version"] ?? "2") };
}

/** The configuration with lists in place of Python's tuples. */
function withLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLists);
  if (!isObject(value)) return value;
  if (value["class_name"] === "__tuple__" && Array.isArray(value["items"])) return value["items"].map(withLists);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withLists(part)]));
}

/** Keras' order of a layer's weights. */
const order = [
  "depthwise_kernel",
  "pointwise_kernel",
  "kernel",
  "recurrent_kernel",
  "gamma",
  "beta",
  "alpha",
  "embeddings",
  "bias",
  "moving_mean",
  "moving_variance",
  "mean",
  "variance",
  "count",
];

function layerTensors(bundle: TensorBundle, { path, identifier, metadata }: SavedObject): LayerTensors[] {
  if (path.length === 0 || !/^_tf_keras_(layer|rnn_layer)$/.test(identifier)) return [];
  let node: CheckpointNode | undefined = bundle.nodes[0];
  for (const step of path) node = bundle.nodes[node?.children.get(step) ?? -1];
  if (node === undefined) return [];
  const cell = bundle.nodes[node.children.get("cell") ?? -1];
  const named = [...node.children, ...(cell?.children ?? [])].flatMap(([name, id]): [string, NamedTensor][] => {
    const tensor = bundle.tensors.get(bundle.nodes[id]?.key ?? "");
    return tensor === undefined ? [] : [[name, { ...tensor, name: `${String(metadata["name"])}/${name}` }]];
  });
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const tensors = named.toSorted((a, b) => rank(a[0]) - rank(b[0])).map(([, tensor]) => tensor);
  return tensors.length === 0 ? [] : [{ layer: String(metadata["name"]), tensors }];
}
