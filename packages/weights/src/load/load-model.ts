import { checkOptions } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { importModel } from "../formats/keras/import-model.ts";
import type { ImportOptions } from "../formats/keras/import-model.ts";
import { loadKerasLayers, loadWeightsNames } from "./keras-layers.ts";
import type { LoadWeightsOptions, LoadWeightsReport } from "./keras-layers.ts";
import { assign } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { tellMetadata } from "../model/metadata-json.ts";
import { countOf } from "../bytes/named-tensor.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { openWeights } from "./open-weights.ts";
import type { WeightsFile } from "./open-weights.ts";
import { ownLayerName } from "../formats/torch/names.ts";
import { refuseProblems, torchWeights } from "../formats/torch/weights.ts";
import { WeightsError } from "../weights-error.ts";

/** Layer classes and functions of the user that a file may name. */
export type LoadModelOptions = Pick<ImportOptions, "layers" | "functions">;

/**
 * Loads a model with its architecture and weights from a file: `.h5`, `.keras`, a tfjs `model.json` or its folder.
 * Throws `WeightsError` naming every unknown layer and every weight that does not fit.
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<tfl.LayersModel> {
  checkOptions("loadModel", options, { layers: true, functions: true });
  const file = await openWeights(path);
  try {
    if (file.config === undefined) {
      throw new WeightsError(path, "", "holds weights but no architecture: name the network that they belong to");
    }
    // Allow for counters and statistics that files leave out.
    const maxNumbers = file.tensors.reduce((sum, { shape }) => sum + countOf(shape), 1_000_000);
    const model = importModel(path, file.config, { ...options, maxNumbers });
    await loadOpened(model, file, { by: "name" });
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
  path: string,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  checkOptions("loadWeights", options, loadWeightsNames);
  const file = await openWeights(path);
  try {
    const report = await loadOpened(model, file, options);
    tellMetadata(path, model, file.modelMetadata);
    return report;
  } finally {
    file.close();
  }
}

async function loadOpened(
  model: tfl.LayersModel,
  file: WeightsFile,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  if (file.layers !== undefined) return loadKerasLayers(file.path, model, file.layers, options);
  if (file.format === "npy") throw new WeightsError(file.path, "", "is one array, not a network's weights");
  return file.format === "tfjs" ? loadTfjs(model, file) : loadTorch(model, file, options);
}

/** Tensors of PyTorch's states that tfjs does not need: counters, and auxiliary classifiers that only training uses. */
const spare = /(^|\.)num_batches_tracked$|^n_averaged$|^(aux\d*|AuxLogits)\./;

async function loadTorch(
  model: tfl.LayersModel,
  file: WeightsFile,
  { ignore }: LoadWeightsOptions,
): Promise<LoadWeightsReport> {
  refuseProblems(file.path, model);
  const weights = torchWeights(model);
  const prefix = commonPrefix(
    weights.map(({ torchName }) => torchName),
    file.tensors.map(({ name }) => name),
  );
  const tensors = new Map(
    file.tensors.map((tensor) => [
      tensor.name.startsWith(prefix) ? tensor.name.slice(prefix.length) : tensor.name,
      tensor,
    ]),
  );
  const problems: string[] = [];
  const ignored: string[] = [];
  const assignments: Assignment[] = [];
  for (const { torchName, name, variable, torchShape, fromTorch } of weights) {
    const tensor = tensors.get(torchName);
    tensors.delete(torchName);
    if (tensor === undefined) {
      if (ignore?.test(torchName) === true) ignored.push(torchName);
      else problems.push(`missing: "${torchName}" [${torchShape}], which is "${name}" here, is not in the file`);
    } else if (String(tensor.shape) !== String(torchShape)) {
      problems.push(`misshaped: "${torchName}" should be [${torchShape}], in the file it is [${tensor.shape}]`);
    } else assignments.push({ name, variable, tensor, arrange: fromTorch, shape: variable.shape as number[] });
  }
  for (const { name, shape } of tensors.values()) {
    if (spare.test(name) || ignore?.test(name) === true) ignored.push(name);
    else {
      const own = ownLayerName(model.name, name.slice(0, Math.max(0, name.lastIndexOf("."))));
      problems.push(`extra: the file has "${name}" [${shape}], the model has no layer "${own}" for it`);
    }
  }
  await assign(file.path, assignments, problems);
  return { loaded: assignments.length, ignored };
}

/**
 * The prefix that wrappers put before every name: `module.` of DataParallel, `_orig_mod.` of a compiled model,
 * `model.` of a trainer.
 */
function commonPrefix(wanted: readonly string[], names: readonly string[]): string {
  const known = new Set(names);
  const [first] = wanted;
  if (first === undefined || wanted.some((name) => known.has(name))) return "";
  const prefixes = names.flatMap((name) => (name.endsWith(`.${first}`) ? [name.slice(0, -first.length)] : []));
  const whole = prefixes.filter((prefix) => wanted.every((name) => known.has(prefix + name)));
  return (whole.length > 0 ? whole : prefixes).length === 1 ? (whole[0] ?? prefixes[0]!) : "";
}

/** Loads a tfjs file, whose tensors have the names of the model's weights. */
async function loadTfjs(model: tfl.LayersModel, file: WeightsFile): Promise<LoadWeightsReport> {
  // Layers of the same name in nested models follow the model's order.
  const tensors = new Map<string, NamedTensor[]>();
  for (const tensor of file.tensors) tensors.set(tensor.name, [...(tensors.get(tensor.name) ?? []), tensor]);
  const problems: string[] = [];
  const assignments: Assignment[] = [];
  for (const variable of model.weights) {
    const name = variable.originalName;
    const tensor = tensors.get(name)?.shift();
    if (tensor === undefined) problems.push(`missing: "${name}" [${variable.shape}] is not in the file`);
    else assignments.push({ name, variable, tensor, shape: tensor.shape });
  }
  for (const { name, shape } of [...tensors.values()].flat())
    problems.push(`extra: the file has "${name}" [${shape}], the model has not`);
  await assign(file.path, assignments, problems);
  return { loaded: assignments.length, ignored: [] };
}
