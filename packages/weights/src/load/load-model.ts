import { checkEngine, checkModel } from "@convkit/core/internal";
import { checkOptions, ConvkitError, OptionError, shown } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { importModel } from "../formats/keras/import-model.ts";
import type { ImportOptions } from "../formats/keras/import-model.ts";
import { checkLoading, loadKerasLayers, loadWeightsNames } from "./keras-layers.ts";
import type { LoadWeightsOptions, LoadWeightsReport } from "./keras-layers.ts";
import { assign } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { adaptedKernel, kernelHint } from "../model/channels.ts";
import { tellMetadata } from "../model/metadata-json.ts";
import { isObject } from "../bytes/json.ts";
import { countOf } from "../bytes/named-tensor.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { isSavedModel, loadKerasSavedModel } from "./keras-saved-model.ts";
import { loadOnnx } from "../formats/onnx/read/model.ts";
import { tellPolicy } from "../formats/keras/policy.ts";
import { withFiles } from "../bytes/file-folder.ts";
import { findSource } from "./find-source.ts";
import type { WeightsSource } from "./find-source.ts";
import { openFound, openWeights } from "./open-weights.ts";
import type { WeightsFile } from "./weights-file.ts";
import { loadTorch } from "./torch-weights.ts";
import { WeightsError } from "../weights-error.ts";

export interface LoadModelOptions extends Pick<ImportOptions, "layers" | "functions"> {
  /**
   * Receives a sentence about each choice that the reader made: weights dequantized, parts left out, float32 for
   * another type. None by default.
   */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Loads a model with its architecture and weights from a file: `.h5`, `.keras`, `.onnx`, a tfjs `model.json` or its
 * folder, a run directory of `train` (its best model), a SavedModel that Keras 2 saved. Takes a path, an address, bytes, a `Blob`, or
 * the files of a folder.
 * Throws `WeightsError` naming every unknown layer and every weight that does not fit.
 */
export async function loadModel(source: WeightsSource, options: LoadModelOptions = {}): Promise<tfl.LayersModel> {
  checkOptions("loadModel", options, { layers: true, functions: true, onNote: true });
  const found = await findSource("loadModel", source);
  const { name: path, isFolder, folder, open } = found;
  if (isFolder && isSavedModel(folder)) return withFiles(() => loadKerasSavedModel(folder, options));
  const file = await openFound(found, {});
  try {
    checkEngine("loadModel");
    if (file.format === "onnx")
      return await loadOnnx(open(), { layers: options.layers, functions: options.functions }, options.onNote);
    if (file.config === undefined) {
      throw new WeightsError(path, "", "holds weights but no architecture: name the network that they belong to");
    }
    // Allow for counters and statistics that files leave out.
    const maxNumbers = file.tensors.reduce((sum, { shape }) => sum + countOf(shape), 1_000_000);
    const { layers, functions, onNote } = options;
    const model = importModel(path, file.config, { layers, functions, maxNumbers });
    await loadOpened(model, file, { by: "name", onNote });
    tellPolicy(path, file.config, onNote);
    tellMetadata(path, model, file.modelMetadata);
    return model;
  } finally {
    file.close();
  }
}

/**
 * Loads a file's weights, in any format, into a model. If some do not fit, changes nothing and throws one
 * `WeightsError` that names all missing, extra and misshaped weights. Layers match by name, or `by: "order"`.
 */
export async function loadWeights(
  model: tfl.LayersModel,
  source: WeightsSource,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  checkModel("loadWeights", model);
  checkOptions("loadWeights", options, loadWeightsNames);
  checkLoading("loadWeights", options);
  const file = await openWeights(source, { state: options.state });
  try {
    const report = await loadOpened(model, file, options);
    tellMetadata(file.path, model, file.modelMetadata);
    return report;
  } finally {
    file.close();
  }
}

/** Whether an opened file's weights fit a model by name and shape; reads none of their numbers and changes nothing. */
export async function fitsModel(
  model: tfl.LayersModel,
  file: WeightsFile,
  options: LoadWeightsOptions,
): Promise<boolean> {
  // Numbers are read only after everything fits.
  const isRead = new Error("a number was read");
  const withoutNumbers = (tensor: NamedTensor): NamedTensor => {
    const read = (): never => {
      throw isRead;
    };
    return { ...tensor, read, readBytes: read, ...(tensor.readPart === undefined ? {} : { readPart: read }) };
  };
  const layers = file.layers?.map((layer) => ({ ...layer, tensors: layer.tensors.map(withoutNumbers) }));
  const others = file.others?.map(withoutNumbers);
  const header = {
    ...file,
    tensors: file.tensors.map(withoutNumbers),
    ...(layers === undefined ? {} : { layers }),
    ...(others === undefined ? {} : { others }),
  };
  try {
    await loadOpened(model, header, options);
    return true;
  } catch (error) {
    if (error === isRead) return true;
    if (error instanceof ConvkitError) return false;
    throw error;
  }
}

async function loadOpened(
  model: tfl.LayersModel,
  file: WeightsFile,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  for (const note of file.notes) options.onNote?.(`${file.path} ${note}`);
  if (file.layers !== undefined)
    return loadKerasLayers(file.path, model, file.layers, options, loraFactors(file.config));
  if (file.format === "onnx")
    throw new WeightsError(file.path, "", "holds a whole network, not weights for another: load it with loadModel");
  if (file.format === "savedmodel")
    throw new WeightsError(
      file.path,
      "",
      "has variables by the paths of their objects, not by layers: load the model with loadModel",
    );
  if (file.format === "npy") throw new WeightsError(file.path, "", "is one array, not a network's weights");
  return file.format === "tfjs" ? loadTfjs(model, file, options) : loadTorch(model, file, options);
}

/** The factor of LoRA's product by the name of the layer, as the architecture states it. */
function loraFactors(config: unknown, found = new Map<string, number>()): Map<string, number> {
  if (Array.isArray(config)) for (const part of config) loraFactors(part, found);
  if (!isObject(config)) return found;
  const { name, lora_rank: rank, lora_alpha: alpha } = config;
  if (typeof name === "string" && typeof rank === "number" && rank > 0)
    found.set(name, (typeof alpha === "number" ? alpha : rank) / rank);
  for (const part of Object.values(config)) loraFactors(part, found);
  return found;
}

/** A name without the cell of a recurrent layer, which Keras of TensorFlow 2 names: `lstm/lstm_cell/kernel`. */
function withoutCell(name: string): string {
  return name.replace(/[^/]+_cell(_\d+)?\/([^/]+)$/, "$2");
}

/** Loads a tfjs file, whose tensors have the names of the model's weights. */
async function loadTfjs(
  model: tfl.LayersModel,
  file: WeightsFile,
  { by, ignore, channels, withTop, published, state }: LoadWeightsOptions,
): Promise<LoadWeightsReport> {
  const idle = { by: by === "order" ? by : undefined, published, state };
  for (const [name, value] of Object.entries(idle)) {
    if (value === undefined) continue;
    throw new OptionError(
      `loadWeights: expected no ${name} for a tfjs folder, whose weights are found by name, got ${shown(value)} for ${file.path}.`,
    );
  }
  // Layers of the same name in nested models follow the model's order.
  const tensors = new Map<string, NamedTensor[]>();
  const own = new Set(model.weights.map(({ originalName }) => originalName));
  for (const tensor of file.tensors) {
    const name = own.has(tensor.name) ? tensor.name : withoutCell(tensor.name);
    tensors.set(name, [...(tensors.get(name) ?? []), tensor]);
  }
  const problems: string[] = [];
  const ignored: string[] = [];
  const assignments: Assignment[] = [];
  for (const variable of model.weights) {
    const name = variable.originalName;
    const saved = tensors.get(name)?.shift();
    if (saved === undefined && ignore?.test(name) === true) ignored.push(name);
    else if (saved === undefined) problems.push(`missing: "${name}" [${variable.shape}] is not in the file`);
    else {
      const tensor = adaptedKernel(model, variable, saved, channels);
      assignments.push({ name, variable, tensor, shape: tensor.shape, hint: kernelHint(model, variable, tensor) });
    }
  }
  const ofTop = new Set((withTop?.weights ?? []).map(({ originalName }) => originalName));
  for (const { name, shape } of [...tensors.values()].flat()) {
    if (ofTop.has(name) || ignore?.test(name) === true) ignored.push(name);
    else problems.push(`extra: the file has "${name}" [${shape}], the model has not`);
  }
  await assign(file.path, assignments, problems);
  return { loaded: assignments.length, ignored };
}
