import { utf8Bytes } from "../../bytes/encoding.ts";
import type { ModelMetadata } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ByteSink } from "@convkit/files";
import { writeHdf5 } from "../hdf5/writer.ts";
import type { GroupToWrite } from "../hdf5/writer.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { metadataKey, metadataText } from "../../model/metadata-json.ts";
import { distinctNames } from "../../model/model-layers.ts";
import { WeightsError } from "../../weights-error.ts";
import { writeZip } from "../../bytes/zip-writer.ts";
import { exportGraph, innerLayers } from "./export-graph.ts";
import type { KerasGraph, KerasLayer } from "./graph.ts";
import { jsonWithFloats, whyNoLambda } from "./tf-op-lambda.ts";
import { keras2Config, keras3Config } from "./write-config.ts";

/** The metadata to write, and the file's name for errors. */
interface About {
  readonly file: string;
  readonly metadata: ModelMetadata;
  /** Of an .h5: 2 for what Keras 2 alone reads. */
  readonly keras?: 2 | undefined;
}

/** The Keras version whose formats are written. */
const kerasVersion = "3.15.1";

/**
 * Writes a whole model as Keras 2 does (`.h5`). Keras 3 loads it too, unless `keras: 2` allows operations: Keras 2 has
 * them as layers that call TensorFlow, which Keras 3 has not.
 */
export function writeLegacyH5(sink: ByteSink, model: tfl.LayersModel, { file, metadata, keras }: About): void {
  const graph = exportGraph(model, file, { version: keras ?? "both" });
  for (const layer of everyLayer(graph)) {
    const problem = whyNoH5(layer, keras);
    if (problem !== undefined) throw new WeightsError(file, `layer "${layer.name}"`, `${problem}: write a .keras file`);
  }
  const groups: GroupToWrite = { attributes: {}, children: new Map() };
  for (const { name, weights } of graph.layers) put(groups, name.split("/"), legacyGroup(weights));
  const about = { backend: "tensorflow", keras_version: "2.15.0" };
  const weights: GroupToWrite = {
    attributes: {
      ...listAttribute(
        "layer_names",
        graph.layers.map(({ name }) => name),
      ),
      ...about,
    },
    children: groups.children,
  };
  writeHdf5(sink, {
    attributes: { model_config: jsonWithFloats(keras2Config(graph, keras)), ...about, ...metadataAttribute(metadata) },
    children: new Map([["model_weights", weights]]),
  });
}

/** Why an .h5 cannot hold a layer; undefined if it can. */
function whyNoH5(layer: KerasLayer, keras: 2 | undefined): string | undefined {
  const { className, config, operation, module } = layer;
  const forKeras2 = " (an .h5 for Keras 2 alone can hold it: keras: 2)";
  if (operation !== undefined) {
    const problem = whyNoLambda(layer);
    if (keras === 2) return problem;
    return `Keras 3 reads the operation ${className} from .keras files only${problem === undefined ? forKeras2 : ""}`;
  }
  if (module !== undefined) return `Keras finds its ${className} from .keras files only`;
  const { axis } = config;
  const isLost = keras !== 2 && (axis === null || (Array.isArray(axis) && axis.length > 1));
  return isLost ? `Keras 3 forgets its axis of ${JSON.stringify(axis)} where it reads .h5${forKeras2}` : undefined;
}

/** Writes a model's weights as Keras 3 does (`.weights.h5`). */
export function writeWeightsH5(sink: ByteSink, model: tfl.LayersModel, { file, metadata }: About): void {
  const weights = keras3Weights(exportGraph(model, file));
  writeHdf5(sink, { ...weights, attributes: { ...weights.attributes, ...metadataAttribute(metadata) } });
}

/** Writes a whole model as Keras 3 does (`.keras`). */
export function writeKeras(sink: ByteSink, model: tfl.LayersModel, { file, metadata }: About): void {
  const graph = exportGraph(model, file, { version: 3 });
  const json = (value: object) => (entry: ByteSink) => entry.write(utf8Bytes(JSON.stringify(value)));
  const about = { keras_version: kerasVersion, date_saved: new Date().toISOString() };
  const own = metadataText(metadata) === undefined ? {} : { [metadataKey]: metadata };
  writeZip(sink, [
    { name: "metadata.json", fill: json({ ...about, ...own }) },
    { name: "config.json", fill: json(keras3Config(graph)) },
    { name: "model.weights.h5", fill: (entry) => writeHdf5(entry, keras3Weights(graph)) },
  ]);
}

/** Keras ignores attributes that it does not know. */
function metadataAttribute(metadata: ModelMetadata): Record<string, string> {
  const text = metadataText(metadata);
  return text === undefined ? {} : { [metadataKey]: text };
}

/** The layers of a graph and of the models in it. */
function everyLayer(graph: KerasGraph): KerasLayer[] {
  return graph.layers.flatMap((layer) => [layer, ...(layer.inner === undefined ? [] : everyLayer(layer.inner))]);
}

function legacyGroup(weights: readonly NamedTensor[]): GroupToWrite {
  // Keras finds a layer's weights by their order. Two layers of one name within a nested model would share a place.
  const names = distinctNames(weights.map(({ name }) => name)).map((name) => `${name}:0`);
  const group = {
    attributes: listAttribute("weight_names", names),
    children: new Map<string, GroupToWrite | NamedTensor>(),
  };
  for (const [index, tensor] of weights.entries()) put(group, names[index]!.split("/"), tensor);
  return group;
}

function keras3Weights(graph: KerasGraph): GroupToWrite {
  const root: GroupToWrite = { attributes: {}, children: new Map() };
  for (const { name, path, weights, inside } of innerLayers(graph)) {
    let first = 0;
    for (const [inner, count] of inside ?? [["", weights.length] as const]) {
      const own = weights.slice(first, first + count);
      first += count;
      const vars: GroupToWrite = {
        attributes: { name: inner === "" ? name : inner.split("/").at(-1)! },
        children: new Map(own.map((tensor, index) => [String(index), tensor])),
      };
      put(root, [...path.split("/"), ...inner.split("/").filter(Boolean), "vars"], vars);
    }
  }
  (root.children as Map<string, GroupToWrite>).set("vars", { attributes: { name: graph.name }, children: new Map() });
  return root;
}

/** Puts a group or tensor at a path and creates missing groups. */
function put(group: GroupToWrite, [first, ...rest]: readonly string[], what: GroupToWrite | NamedTensor): void {
  const children = group.children as Map<string, GroupToWrite | NamedTensor>;
  if (rest.length === 0) {
    const known = children.get(first!);
    // The group may already exist because of its children: "conv1" beside "conv1/bn".
    if (known !== undefined && "children" in known && "children" in what) merge(known, what);
    else children.set(first!, what);
    return;
  }
  const inner = (children.get(first!) as GroupToWrite | undefined) ?? { attributes: {}, children: new Map() };
  children.set(first!, inner);
  put(inner, rest, what);
}

function merge(known: GroupToWrite, { attributes, children }: GroupToWrite): void {
  Object.assign(known.attributes, attributes);
  for (const [name, child] of children) put(known, [name], child);
}

/** An attribute holds 64 KB. Splits longer lists into `name0`, `name1` …, as Keras does. Each text takes 16 bytes. */
function listAttribute(name: string, values: readonly string[]): Record<string, readonly string[]> {
  const limit = 4000;
  if (values.length <= limit) return { [name]: values };
  const parts = Array.from({ length: Math.ceil(values.length / limit) }, (_, index) =>
    values.slice(index * limit, (index + 1) * limit),
  );
  return Object.fromEntries(parts.map((part, index) => [`${name}${index}`, part]));
}
