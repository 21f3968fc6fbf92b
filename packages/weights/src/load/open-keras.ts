import type { ByteSource, FileFolder } from "../bytes/byte-source.ts";
import { isObject, parseJson, readJson } from "../bytes/json.ts";
import { openHdf5 } from "../formats/hdf5/reader.ts";
import { readKeras3, readLegacyKeras, readPlainHdf5 } from "../formats/keras/weights-h5.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import { metadataFrom, metadataFromText, metadataKey } from "../model/metadata-json.ts";
import { WeightsError } from "../weights-error.ts";
import type { WeightsFile } from "./weights-file.ts";

const weightsName = "model.weights.h5";
const shardsName = "model.weights.json";

type Parts = Omit<WeightsFile, "path" | "close" | "metadata" | "notes" | "unread">;

/** What stands before the names of a `.keras` archive that was packed within a folder; undefined for other archives. */
export function kerasPrefix(names: readonly string[]): string | undefined {
  const known = new Set(names);
  const prefixes = names.flatMap((name) =>
    /(^|\/)config\.json$/.test(name) ? [name.slice(0, -"config.json".length)] : [],
  );
  return prefixes
    .toSorted((a, b) => a.length - b.length)
    .find((prefix) => known.has(`${prefix}${weightsName}`) || known.has(`${prefix}${shardsName}`));
}

/** Whether a folder holds the parts of a `.keras` archive. */
export function isKerasFolder(folder: FileFolder): boolean {
  const has = (name: string): boolean => folder.has(name);
  return has("config.json") && (has(weightsName) || has(shardsName)) && !has("model.json");
}

/** Opens a `.keras` archive that was unpacked into a folder. */
export function openKerasFolder(folder: FileFolder): WeightsFile {
  const opened = new Map<string, ByteSource>();
  const close = (): void => opened.forEach((source) => source.close());
  try {
    const find = (name: string): ByteSource | undefined => {
      const source = opened.get(name) ?? (folder.has(name) ? folder.open(name) : undefined);
      if (source !== undefined) opened.set(name, source);
      return source;
    };
    return {
      ...readKerasParts(folder.path, find),
      path: folder.path,
      metadata: {},
      notes: [],
      unread: new Map(),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Opens the list of shards that `save_weights` wrote with `max_shard_size`, with the shards beside it. */
export function openKerasShards(source: ByteSource): WeightsFile {
  const opened = new Map<string, ByteSource>();
  const close = (): void => {
    source.close();
    opened.forEach((shard) => shard.close());
  };
  try {
    const layers = readShards(source, (name) => {
      if (source.folder?.has(name) !== true) return undefined;
      opened.set(name, source.folder.open(name));
      return opened.get(name);
    });
    const tensors = layers.flatMap((layer) => layer.tensors);
    const common = { path: source.file, metadata: {}, notes: [], unread: new Map<string, string>(), close };
    return { ...common, format: "keras-weights-h5", layers, tensors };
  } catch (error) {
    opened.forEach((shard) => shard.close());
    throw error;
  }
}

/** The parts of a Keras 3 model by name: entries of its archive, or files of a folder. */
export function readKerasParts(file: string, find: (name: string) => ByteSource | undefined): Parts {
  const config = find("config.json");
  if (config === undefined) throw new WeightsError(file, "", "expected config.json, as in a .keras archive");
  const weights = find(weightsName);
  const shards = weights === undefined ? find(shardsName) : undefined;
  if (weights === undefined && shards === undefined) throw new WeightsError(file, "", `expected ${weightsName}`);
  const layers = shards === undefined ? (readHdf5(weights!).layers ?? []) : readShards(shards, find);
  const metadata = find("metadata.json");
  const told = metadata === undefined ? {} : readJson(metadata);
  return {
    format: "keras",
    tensors: layers.flatMap((layer) => layer.tensors),
    layers,
    config: readJson(config),
    modelMetadata: metadataFrom(file, "metadata.json", told[metadataKey]),
  };
}

/** The layers of all shards. The tensors of one layer may lie in several. */
function readShards(source: ByteSource, find: (name: string) => ByteSource | undefined): LayerTensors[] {
  const place = "weight_map";
  const { weight_map: map } = readJson(source);
  if (!isObject(map)) throw new WeightsError(source.file, place, "expected the files of each layer's weights");
  const names = new Set(Object.values(map).flat());
  source.folder?.expect?.([...names].filter((name): name is string => typeof name === "string" && isShardName(name)));
  const layers = new Map<string, LayerTensors>();
  for (const name of names) {
    if (typeof name !== "string" || !isShardName(name))
      throw new WeightsError(
        source.file,
        place,
        `expected the name of a .weights.h5 beside it, got ${JSON.stringify(name)}`,
      );
    const shard = find(name);
    if (shard === undefined) throw new WeightsError(source.file, place, `the shard ${name} is missing`);
    for (const layer of readKeras3(shard.file, openHdf5(shard))) {
      const path = layer.path ?? layer.layer;
      const tensors = [...(layers.get(path)?.tensors ?? []), ...layer.tensors];
      layers.set(path, { ...layer, tensors: tensors.toSorted((a, b) => indexOf(a.name) - indexOf(b.name)) });
    }
  }
  for (const path of Object.keys(map)) {
    const layer = path.replace(/^\//, "").replace(/\/?vars$/, "");
    if (!layers.has(layer)) throw new WeightsError(source.file, place, `no shard has the weights of "${layer}"`);
  }
  return [...layers.values()];
}

function isShardName(name: string): boolean {
  return /^[^/\\]+\.weights\.h5$/.test(name);
}

/** The number of a tensor among its layer's: 1 of `dense/1`. */
function indexOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("/") + 1));
}

/** Groups and attributes that mark the files of Keras. */
const kerasGroups = ["layers", "vars", "_layer_checkpoint_dependencies"];
const kerasAttributes = ["layer_names", "layer_names0", "model_config", "keras_version"];

export function readHdf5(source: ByteSource): Omit<WeightsFile, "path" | "metadata" | "notes" | "close"> {
  const root = openHdf5(source);
  const modelMetadata = metadataFromText(source.file, `attribute ${metadataKey}`, root.attributes.get(metadataKey));
  const isLegacy = root.names.includes("model_weights") || kerasAttributes.some((name) => root.attributes.has(name));
  const isKeras3 =
    kerasGroups.some((name) => root.names.includes(name) && root.get(name)?.kind === "group") &&
    !root.attributes.has("layer_names");
  if (!isKeras3 && !isLegacy) return { format: "hdf5", modelMetadata, ...readPlainHdf5(source.file, root) };
  const layers = isKeras3 ? readKeras3(source.file, root) : readLegacyKeras(source.file, root);
  const tensors = layers.flatMap((layer) => layer.tensors);
  const config = root.attributes.get("model_config");
  return {
    format: isKeras3 ? "keras-weights-h5" : "keras-h5",
    tensors,
    layers,
    unread: new Map(),
    modelMetadata,
    ...(typeof config === "string" ? { config: parseJson(config, source.file, "attribute model_config") } : {}),
  };
}
