import type { ModelMetadata } from "@convkit/core";
import { checkOptions } from "@convkit/errors";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openFile } from "../bytes/byte-source.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { isHdf5, openHdf5 } from "../formats/hdf5/reader.ts";
import { looksLikeOnnx } from "../formats/onnx/read/file.ts";
import { onnxWeights } from "../formats/onnx/read/weights.ts";
import { parseJson, readJson } from "../bytes/json.ts";
import type { JsonObject } from "../bytes/json.ts";
import { readKeras3, readLegacyKeras, readPlainHdf5 } from "../formats/keras/weights-h5.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { readNpy } from "../formats/npy.ts";
import { readNpz } from "../formats/npz.ts";
import { readSafetensors } from "../formats/safetensors.ts";
import { readTfjs } from "../formats/tfjs/read.ts";
import { readTorchFile, readZipContainer } from "../formats/torch/file.ts";
import { metadataFrom, metadataFromText, metadataKey } from "../model/metadata-json.ts";
import { WeightsError } from "../weights-error.ts";
import { readZip } from "../bytes/zip-reader.ts";

export type WeightsFormat =
  | "safetensors"
  | "torch"
  | "keras-h5"
  | "keras-weights-h5"
  | "keras"
  | "hdf5"
  | "tfjs"
  | "npy"
  | "npz"
  | "onnx";

/** An open file of weights. Its table of contents is read; each tensor's bytes are read on demand. */
export interface WeightsFile {
  readonly path: string;
  readonly format: WeightsFormat;
  readonly tensors: readonly NamedTensor[];
  /** The tensors by layer, in Keras' order; only for Keras' formats. */
  readonly layers?: readonly LayerTensors[];
  /** The architecture, if the file has one: Keras' `model_config` or a tfjs `modelTopology`. */
  readonly config?: JsonObject;
  /** The file's own metadata, as in safetensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Metadata that `saveModel` wrote: classes, preprocessing, the zoo's name. */
  readonly modelMetadata?: ModelMetadata;
  /** Of a PyTorch checkpoint: the keys that lead to `tensors`, joined with dots. */
  readonly state?: string;
  /** Of a PyTorch checkpoint: tensors outside of `state`, such as averaged weights, by the keys that lead to them. */
  readonly others?: readonly NamedTensor[];
  /** Tensors of kinds that are not read, such as sparse ones, and why. */
  readonly unread: ReadonlyMap<string, string>;
  /** What the reader chose or left out, a sentence each. */
  readonly notes: readonly string[];
  close(): void;
}

export interface OpenWeightsOptions {
  /** Which weights of a PyTorch checkpoint, by the keys that lead to them: "model_ema". */
  readonly state?: string | undefined;
}

/**
 * Opens a file of weights: `.safetensors`, `.pth` and `.pt` (both containers), `.h5`, `.hdf5`, `.weights.h5`,
 * `.keras`, any HDF5 file of numbers, a tfjs `model.json` or its folder, `.npy`, `.npz`. The content decides the format, not the name. Throws
 * `WeightsError` with file and place.
 */
export async function openWeights(path: string, options: OpenWeightsOptions = {}): Promise<WeightsFile> {
  checkOptions("openWeights", options, { state: true });
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new WeightsError(path, "", "there is no such file");
  const source = openFile(stat.isDirectory() ? join(path, "model.json") : path);
  try {
    return await openSource(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Opens weights from a source. Closing the result closes the source. */
export async function openSource(source: ByteSource, { state }: OpenWeightsOptions = {}): Promise<WeightsFile> {
  const close = (): void => source.close();
  const common = { path: source.file, metadata: {}, unread: new Map<string, string>(), notes: [], close };
  const start = Buffer.from(source.read(0, Math.min(16, source.size))).toString("latin1");
  // Test safetensors first: the length of its header may look like the first bytes of any other format.
  if (looksLikeSafetensors(source)) return { ...common, ...openSafetensors(source) };
  if (isHdf5(source)) return { ...common, ...readHdf5(source) };
  if (start.startsWith("PK\x03\x04")) {
    const entries = await readZip(source);
    if (entries.size > 0 && [...entries.keys()].every((name) => name.endsWith(".npy")))
      return { ...common, format: "npz", tensors: readNpz(entries) };
    const weights = entries.get("model.weights.h5");
    const config = entries.get("config.json");
    if (config === undefined || weights === undefined)
      return { ...common, format: "torch", ...readZipContainer(source, entries, state) };
    const { tensors, layers = [] } = readHdf5(weights.open());
    const metadata = entries.get("metadata.json");
    const told = metadata === undefined ? {} : readJson(metadata.open());
    return {
      ...common,
      format: "keras",
      tensors,
      layers,
      config: readJson(config.open()),
      modelMetadata: metadataFrom(source.file, "metadata.json", told[metadataKey]),
    };
  }
  if (looksLikeOnnx(Buffer.from(start, "latin1"))) {
    const { tensors, modelMetadata, metadata, close: closeAll } = onnxWeights(source);
    return { ...common, format: "onnx", tensors, metadata, modelMetadata, close: closeAll };
  }
  if (start.startsWith("\x93NUMPY")) return { ...common, format: "npy", tensors: [readNpy(source)] };
  if (start.startsWith("\x80")) return { ...common, format: "torch", ...(await readTorchFile(source, state)) };
  if (/^\s*\{/.test(start)) {
    const { tensors, topology, told, close: closeShards } = readTfjs(source);
    return {
      ...common,
      format: "tfjs",
      tensors,
      ...(topology === undefined ? {} : { config: topology }),
      modelMetadata: metadataFrom(source.file, "userDefinedMetadata", told[metadataKey]),
      close() {
        close();
        closeShards();
      },
    };
  }
  if (start.slice(8, 9) === "{") return { ...common, ...openSafetensors(source) };
  throw new WeightsError(
    source.file,
    "byte 0",
    "this is no file of weights that is known: safetensors, torch, HDF5, .keras, model.json, .npy or .npz",
  );
}

function openSafetensors(source: ByteSource): Pick<WeightsFile, "format" | "tensors" | "metadata" | "modelMetadata"> {
  const { tensors, metadata } = readSafetensors(source);
  const modelMetadata = metadataFromText(source.file, "__metadata__", metadata[metadataKey]);
  return { format: "safetensors", tensors, metadata, modelMetadata };
}

/** Whether the file begins with a length that fits in it, followed by the brace of a JSON object. */
function looksLikeSafetensors(source: ByteSource): boolean {
  if (source.size < 10) return false;
  const view = new DataView(source.read(0, 9).buffer);
  return view.getBigUint64(0, true) <= BigInt(source.size - 8) && view.getUint8(8) === 0x7b;
}

/** Groups and attributes that mark the files of Keras. */
const kerasGroups = ["layers", "vars", "_layer_checkpoint_dependencies"];
const kerasAttributes = ["layer_names", "layer_names0", "model_config", "keras_version"];

function readHdf5(source: ByteSource): Omit<WeightsFile, "path" | "metadata" | "notes" | "close"> {
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
