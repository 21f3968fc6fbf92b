import type { ModelMetadata } from "@convkit/core";
import { checkModel } from "@convkit/core/internal";
import { checkOptions, checkValues, oneOf, shown, trueOrFalse } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { disk, writeSavedModel } from "@convkit/weights/platform";
import type { ByteSink } from "@convkit/files";
import { writeKeras, writeLegacyH5, writeWeightsH5 } from "../formats/keras/write.ts";
import { writeOnnx } from "../formats/onnx/write.ts";
import { writeTfjs } from "../formats/tfjs/write.ts";
import { neededBeyondStock } from "../formats/tfjs/needs.ts";
import { writeTfjsGraph } from "../formats/tfjs-graph/write.ts";
import { type Quantization, quantizations } from "../formats/tfjs/shards.ts";
import { writeTorchSafetensors } from "../formats/torch/write.ts";
import { metadataOf } from "../model/metadata-json.ts";
import { readAhead } from "../model/read-ahead.ts";
import { checkPath } from "../check-path.ts";
import { WeightsError } from "../weights-error.ts";
import type { Destination } from "./destination.ts";
import { memory, within } from "./page-destinations.ts";

export type ModelFormat = "keras" | "h5" | "weights-h5" | "safetensors" | "onnx" | "savedmodel" | "tfjs" | "tfjs-graph";

const formats: Readonly<Record<ModelFormat, true>> = {
  keras: true,
  h5: true,
  "weights-h5": true,
  safetensors: true,
  onnx: true,
  savedmodel: true,
  tfjs: true,
  "tfjs-graph": true,
};

export interface SaveOptions {
  /** The format; by default the one that the path's ending names. Required for a folder. */
  readonly format?: ModelFormat | undefined;
  /**
   * Metadata of the file (classes, preprocessing, the zoo's name …). Its fields override the model's own metadata,
   * which is written by default.
   */
  readonly metadata?: ModelMetadata | undefined;
  /** Stores the weights of a tfjs model with fewer bits; float32 by default. */
  readonly quantize?: Quantization | undefined;
  /**
   * Writes a tfjs layers model in layers of stock tfjs alone, which give the same outputs: for programs that load it
   * without this package. It is made for prediction: random layers are left out, and zeros fill the kernels of
   * groups. False by default.
   */
  readonly stock?: boolean | undefined;
  /**
   * 2 writes an `.h5` for Keras 2 alone, which holds operations, too, as layers that call TensorFlow. By default
   * Keras 3 loads the file, too.
   */
  readonly keras?: 2 | undefined;
  /**
   * Adds an output `grad_cam` to an ONNX file: where each image shows its most likely class, `[n, h, w]`, as large as the last
   * feature map, or as the map of the layer of that name. False by default.
   */
  readonly gradCam?: boolean | string | undefined;
  /**
   * The folder of a web page that the path is in, such as `await navigator.storage.getDirectory()` or what the user chose by
   * `showDirectoryPicker()`. By default the path is one of the disk, which a page has not: it must give this option.
   */
  readonly into?: FileSystemDirectoryHandle | undefined;
}

const fileNames: OptionNames<Omit<SaveOptions, "into">> = {
  format: true,
  metadata: true,
  quantize: true,
  stock: true,
  keras: true,
  gradCam: true,
};

export const saveNames: OptionNames<SaveOptions> = { ...fileNames, into: true };

export interface SaveReport {
  readonly path: string;
  readonly format: ModelFormat;
  readonly bytes: number;
  readonly tensors: number;
  /**
   * Of a tfjs layers model: the classes, options and activations that stock tfjs lacks, which a program that loads the
   * file must register (`registerImportLayers`). Not there if it needs none, as with `stock`; a graph model never does.
   */
  readonly needs?: readonly string[];
  /** True if the model was written in layers of stock tfjs alone. */
  readonly stock?: true;
  /** The `gradCam` that the ONNX file was written with. Missing without one. */
  readonly gradCam?: true | string;
}

/**
 * Writes a model in the format that the path's ending names: `.keras`, `.h5` or `.hdf5` (whole models), `.weights.h5`,
 * `.safetensors` (PyTorch's names), `.onnx`, or with `format` a folder: "tfjs" or "tfjs-graph"
 * with `model.json`, or "savedmodel".
 * Writes the whole file or nothing. Throws `WeightsError` naming each layer that the format cannot hold.
 */
export async function saveModel(model: tfl.LayersModel, path: string, options: SaveOptions = {}): Promise<SaveReport> {
  checkModel("saveModel", model);
  checkPath("saveModel", path);
  checkOptions("saveModel", options, saveNames);
  checkSaving("saveModel", options);
  const { into } = options;
  return write(model, path, options, into === undefined ? disk : within(into));
}

/**
 * The files that `saveModel` would write, in memory: one, or for a folder `model.json` and its shards. A web page can send them, or offer
 * them for download. Throws like `saveModel`.
 */
export async function modelFiles(
  model: tfl.LayersModel,
  path: string,
  options: Omit<SaveOptions, "into"> = {},
): Promise<File[]> {
  checkModel("modelFiles", model);
  checkPath("modelFiles", path);
  checkOptions("modelFiles", options, fileNames);
  checkSaving("modelFiles", options);
  const { destination, files } = memory();
  await write(model, path, options, destination);
  return [...files].map(([file, parts]) => new File([...parts], file.slice(file.lastIndexOf("/") + 1)));
}

/** Throws an `OptionError` for a format, a quantization or a flag that there is not. */
export function checkSaving(where: string, options: SaveOptions): void {
  const [format, quantize] = [oneOf(Object.keys(formats)), oneOf(Object.keys(quantizations))];
  checkValues(where, options, { format, quantize, stock: trueOrFalse });
}

async function write(
  model: tfl.LayersModel,
  path: string,
  options: SaveOptions,
  destination: Destination,
): Promise<SaveReport> {
  const { format = formatOf(path), quantize, stock = false, keras, gradCam = false } = options;
  if (quantize !== undefined && format !== "tfjs" && format !== "tfjs-graph")
    throw new WeightsError(path, "", `quantized weights are for tfjs models, not for ${format}`);
  // Not the default: a folder that convkit loads again has the network's own layers, which train as before.
  if (stock && format !== "tfjs")
    throw new WeightsError(path, "", `stock layers are for tfjs layers models, not for ${format}`);
  if (keras !== undefined && (keras !== 2 || format !== "h5"))
    throw new WeightsError(path, "", `expected keras: 2 and a path that ends in .h5, got keras: ${shown(keras)}`);
  if (typeof gradCam !== "boolean" && typeof gradCam !== "string")
    throw new WeightsError(
      path,
      "",
      `expected gradCam to be true, false or the name of a layer, got ${shown(gradCam)}`,
    );
  if (gradCam !== false && format !== "onnx")
    throw new WeightsError(path, "", `gradCam is for ONNX files, not for ${format}`);
  const metadata = metadataOf(path, model, options.metadata);
  await readAhead(model);
  if (format === "tfjs" || format === "savedmodel" || format === "tfjs-graph") {
    let tensors = model.weights.length;
    const bytes = await destination.folder(path, async (folder) => {
      if (format === "tfjs") tensors = await writeTfjs(folder, model, { file: path, quantize, metadata, stock });
      else if (format === "tfjs-graph")
        tensors = await writeTfjsGraph(folder, model, { file: path, quantize, metadata });
      else if (folder.path !== undefined) await writeSavedModel(folder.path, model, { file: path, metadata });
      else throw new WeightsError(path, "", "a SavedModel is written by TensorFlow to the disk, not to memory");
    });
    const needs = format === "tfjs" && !stock ? neededBeyondStock(model) : [];
    return { path, format, bytes, tensors, ...(needs.length > 0 && { needs }), ...(stock && { stock }) };
  }
  const bytes = await destination.file(path, (sink) =>
    fileWriters[format](sink, model, { file: path, metadata, keras, gradCam }),
  );
  return { path, format, bytes, tensors: model.weights.length, ...(gradCam !== false && { gradCam }) };
}

interface FileAbout {
  readonly file: string;
  readonly metadata: ModelMetadata;
  readonly keras?: 2 | undefined;
  readonly gradCam?: boolean | string | undefined;
}

const fileWriters: Readonly<
  Record<
    Exclude<ModelFormat, "tfjs" | "tfjs-graph" | "savedmodel">,
    (sink: ByteSink, model: tfl.LayersModel, about: FileAbout) => void
  >
> = {
  keras: writeKeras,
  h5: writeLegacyH5,
  "weights-h5": writeWeightsH5,
  safetensors: writeTorchSafetensors,
  onnx: writeOnnx,
};

const endings: readonly (readonly [RegExp, ModelFormat])[] = [
  [/\.weights\.(h5|hdf5)$/i, "weights-h5"],
  [/\.(h5|hdf5)$/i, "h5"],
  [/\.keras$/i, "keras"],
  [/\.safetensors$/i, "safetensors"],
  [/\.onnx$/i, "onnx"],
];

/** The format that a path's ending names. */
export function formatOf(path: string): ModelFormat {
  const format = endings.find(([ending]) => ending.test(path))?.[1];
  if (format === undefined) {
    throw new WeightsError(
      path,
      "",
      "expected a path that ends in .keras, .h5, .weights.h5, .safetensors or .onnx, or a format for a folder (tfjs, tfjs-graph, savedmodel)",
    );
  }
  return format;
}
