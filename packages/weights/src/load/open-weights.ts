import { checkOptions, OptionError, shown } from "@convkit/errors";
import { basename } from "@convkit/files/system";
import type { ByteSource, FileFolder } from "../bytes/byte-source.ts";
import { latin1Text, utf8Text } from "../bytes/encoding.ts";
import { FilesNeeded, withFiles } from "../bytes/file-folder.ts";
import type { FoundFile } from "../bytes/file-folder.ts";
import { isObject } from "../bytes/json.ts";
import { hasUserBlock, isHdf5 } from "../formats/hdf5/reader.ts";
import { looksLikeOnnx } from "../formats/onnx/read/file.ts";
import { onnxWeights } from "../formats/onnx/read/weights.ts";
import { openTensorBundle } from "../formats/tensor-bundle.ts";
import { readNpy } from "../formats/npy.ts";
import { readNpz } from "../formats/npz.ts";
import { readSafetensors } from "../formats/safetensors.ts";
import { keras3Layers } from "../formats/tfjs/keras3-layers.ts";
import { readTfjs } from "../formats/tfjs/read.ts";
import { readTorchFile, readZipContainer } from "../formats/torch/file.ts";
import { metadataFrom, metadataFromText, metadataKey } from "../model/metadata-json.ts";
import { WeightsError } from "../weights-error.ts";
import { openShards } from "./open-shards.ts";
import { findSource } from "./find-source.ts";
import type { WeightsSource } from "./find-source.ts";
import { isSavedModel } from "./keras-saved-model.ts";
import type { OpenWeightsOptions, WeightsFile } from "./weights-file.ts";
import {
  isKerasFolder,
  kerasPrefix,
  openKerasFolder,
  openKerasShards,
  readHdf5,
  readKerasParts,
} from "./open-keras.ts";
import { endsAsZip } from "../bytes/zip-directory.ts";
import { readZip } from "../bytes/zip-reader.ts";

/**
 * Opens a file of weights: `.safetensors`, `.pth` and `.pt` (both containers), `.h5`, `.hdf5`, `.weights.h5`,
 * `.keras` (also unpacked into a folder), `.weights.json` with its shards, safetensors or PyTorch in shards
 * (`.index.json`), any HDF5 file of numbers, a tfjs `model.json`
 * or its folder, a run directory (its best model), `.npy`, `.npz`, the variables of a SavedModel's folder or of TensorFlow's checkpoint (`.index`). The content decides the format, not the name. A path, an
 * address, bytes, a `Blob`, or the files of a folder. Throws `WeightsError` with file and place.
 */
export async function openWeights(source: WeightsSource, options: OpenWeightsOptions = {}): Promise<WeightsFile> {
  checkOptions("openWeights", options, { state: true });
  const opened = await openFound(await findSource("openWeights", source), options);
  if (options.state === undefined || opened.format === "torch") return opened;
  opened.close();
  throw new OptionError(
    `openWeights: expected a checkpoint of PyTorch for the state ${shown(options.state)}, got ${opened.format} in ${opened.path}; leave state out.`,
  );
}

/** Opens a file or folder that was found. Fetches what it needs. */
export async function openFound(found: FoundFile, options: OpenWeightsOptions): Promise<WeightsFile> {
  const opened = await withFiles(() => openFiles(found, options));
  const architecture = await withFiles(() => configArchitecture(found.folder));
  return architecture === undefined ? opened : { ...opened, configArchitecture: architecture };
}

async function openFiles(
  { name, isFolder, folder, open }: FoundFile,
  options: OpenWeightsOptions,
): Promise<WeightsFile> {
  if (isFolder && isKerasFolder(folder)) return openKerasFolder(folder);
  if (isFolder && isSavedModel(folder)) return openVariables(name, folder, "variables/variables");
  if (!isFolder && name.endsWith(".index")) return openVariables(name, folder, basename(name, ".index"));
  const source = isFolder ? folder.open(modelInFolder(folder)) : open();
  try {
    return await openSource(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** The `model.json` of a run directory's best model, or of a tfjs folder. */
function modelInFolder(folder: FileFolder): string {
  return folder.has("model/model.json") ? "model/model.json" : "model.json";
}

/** What timm's config.json says: `{"architecture": "resnet50", …}`. Other programs' files of that name say nothing. */
function configArchitecture(folder: FileFolder): string | undefined {
  if (!folder.has("config.json")) return undefined;
  let source: ByteSource | undefined;
  try {
    source = folder.open("config.json");
    if (source.size > 1 << 20) return undefined;
    const config: unknown = JSON.parse(utf8Text(source.read(0, source.size)));
    const architecture = isObject(config) ? config["architecture"] : undefined;
    return typeof architecture === "string" ? architecture : undefined;
  } catch (error) {
    if (error instanceof FilesNeeded) throw error;
    return undefined;
  } finally {
    source?.close();
  }
}

const valueSuffix = "/.ATTRIBUTES/VARIABLE_VALUE";

/** Opens the variables of a SavedModel, or of a checkpoint of TensorFlow, by the paths of their objects. */
function openVariables(path: string, folder: FileFolder, prefix: string): WeightsFile {
  const { tensors, close } = openTensorBundle(folder, prefix);
  const named = [...tensors.values()].map((tensor) => ({
    ...tensor,
    name: tensor.name.endsWith(valueSuffix) ? tensor.name.slice(0, -valueSuffix.length) : tensor.name,
  }));
  return { path, format: "savedmodel", tensors: named, metadata: {}, unread: new Map(), notes: [], close };
}

/** Opens weights from a source. Closing the result closes the source. */
export async function openSource(source: ByteSource, { state }: OpenWeightsOptions = {}): Promise<WeightsFile> {
  const close = (): void => source.close();
  const common = { path: source.file, metadata: {}, unread: new Map<string, string>(), notes: [], close };
  const first = source.read(0, Math.min(16, source.size));
  const start = latin1Text(first);
  // Test safetensors first: the length of its header may look like the first bytes of any other format.
  if (looksLikeSafetensors(source)) return { ...common, ...openSafetensors(source) };
  if (isHdf5(source)) return { ...common, ...readHdf5(source) };
  const openZip = (): WeightsFile => {
    const entries = readZip(source);
    if (entries.size > 0 && [...entries.keys()].every((name) => name.endsWith(".npy")))
      return { ...common, format: "npz", tensors: readNpz(entries) };
    const within = kerasPrefix([...entries.keys()]);
    if (within === undefined) return { ...common, format: "torch", ...readZipContainer(source, entries, state) };
    return { ...common, ...readKerasParts(source.file, (name) => entries.get(`${within}${name}`)?.open()) };
  };
  if (start.startsWith("PK\x03\x04")) return openZip();
  if (looksLikeOnnx(first)) {
    const { tensors, modelMetadata, metadata, close: closeAll } = onnxWeights(source);
    return { ...common, format: "onnx", tensors, metadata, modelMetadata, close: closeAll };
  }
  if (start.startsWith("\x93NUMPY")) return { ...common, format: "npy", tensors: [readNpy(source)] };
  if (start.startsWith("\x80")) return { ...common, format: "torch", ...(await readTorchFile(source, state)) };
  if (/^\s*\{/.test(start)) {
    if (source.file.endsWith(".weights.json")) return openKerasShards(source);
    if (source.file.endsWith(".index.json")) return openShards(source, (part) => openSource(part));
    const { tensors, topology, told, close: closeShards } = readTfjs(source);
    const layers = keras3Layers(topology, tensors);
    return {
      ...common,
      format: "tfjs",
      tensors,
      ...(topology === undefined ? {} : { config: topology }),
      ...(layers === undefined ? {} : { layers }),
      modelMetadata: metadataFrom(source.file, "userDefinedMetadata", told[metadataKey]),
      close() {
        close();
        closeShards();
      },
    };
  }
  if (start.slice(8, 9) === "{") return { ...common, ...openSafetensors(source) };
  if (hasUserBlock(source)) return { ...common, ...readHdf5(source) };
  if (endsAsZip(source)) return openZip();
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
