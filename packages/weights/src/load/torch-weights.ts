import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { ownLayerName } from "../formats/torch/names.ts";
import { refuseProblems, torchWeights } from "../formats/torch/weights.ts";
import { assign } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { WeightsError } from "../weights-error.ts";
import type { LoadWeightsOptions, LoadWeightsReport } from "./keras-layers.ts";
import { matchNames } from "./matching-names.ts";
import type { MatchedNames } from "./matching-names.ts";
import type { WeightsFile } from "./open-weights.ts";

/** Tensors of PyTorch's states that tfjs does not need: counters, and auxiliary classifiers that only training uses. */
const spare = /(^|\.)num_batches_tracked$|^n_averaged$|^(aux\d*|AuxLogits)\./;

/** Loads a file with PyTorch's names and order of axes. */
export async function loadTorch(
  model: tfl.LayersModel,
  file: WeightsFile,
  { ignore, onNote }: LoadWeightsOptions,
): Promise<LoadWeightsReport> {
  refuseProblems(file.path, model);
  const weights = torchWeights(model);
  const { prefix, tensors, outside, unread } = networkTensors(
    file,
    weights.map(({ torchName, torchShape }) => ({ name: torchName, shape: torchShape })),
    onNote,
  );
  const problems: string[] = [];
  const ignored = outside.map(({ name }) => name);
  const assignments: Assignment[] = [];
  for (const { torchName, name, variable, torchShape, fromTorch } of weights) {
    const tensor = tensors.get(torchName);
    tensors.delete(torchName);
    const problem = unread.get(prefix + torchName) ?? unread.get(torchName);
    if (tensor === undefined && problem !== undefined) problems.push(`unread: "${torchName}" ${problem}`);
    else if (tensor === undefined) {
      if (ignore?.test(torchName) === true) ignored.push(torchName);
      else problems.push(`missing: "${torchName}" [${torchShape}], which is "${name}" here, is not in the file`);
    } else if (String(tensor.shape) !== String(torchShape)) {
      problems.push(`misshaped: "${torchName}" should be [${torchShape}], in the file it is [${tensor.shape}]`);
    } else assignments.push({ name, variable, tensor, arrange: fromTorch, shape: variable.shape as number[] });
  }
  for (const [name, { shape, dtype }] of tensors) {
    if (spare.test(name) || ignore?.test(name) === true) ignored.push(name);
    else if (!dtype.includes("float")) {
      onNote?.(`${file.path} leaves out "${name}": no layer has weights of ${dtype}`);
      ignored.push(name);
    } else {
      const own = ownLayerName(model.name, name.slice(0, Math.max(0, name.lastIndexOf("."))));
      problems.push(`extra: the file has "${prefix}${name}" [${shape}], the model has no layer "${own}" for it`);
    }
  }
  await assign(file.path, assignments, problems);
  return { loaded: assignments.length, ignored };
}

type Found = Pick<MatchedNames, "prefix" | "tensors" | "outside"> & { readonly unread: ReadonlyMap<string, string> };

/** The tensors that belong to the network: of the checkpoint's state dict, or of the only other part that fits. */
function networkTensors(
  file: WeightsFile,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
  onNote: LoadWeightsOptions["onNote"],
): Found {
  if (file.tensors.length > 0 && file.tensors.every(({ name }) => /^\d+$/.test(name)))
    throw new WeightsError(file.path, "pickle", "expected a dict of tensors, got a list, whose tensors have no names");
  const { state = "", others = [] } = file;
  const start = state === "" ? "" : `${state}.`;
  const own = matchNames(wanted, file.tensors);
  const all: NamedTensor[] = [
    ...file.tensors.map((tensor) => ({ ...tensor, name: `${start}${tensor.name}` })),
    ...others,
  ];
  const other = own.isWhole || others.length === 0 ? undefined : matchNames(wanted, all);
  const [match, from] = other?.isWhole === true ? [other, ""] : [own, start];
  if (match.rivals.length > 0) {
    const names = match.rivals.map((rival) => `"${rival.replace(/\.$/, "")}"`).join(", ");
    throw new WeightsError(
      file.path,
      "",
      `expected the network's weights once, got several: ${names}; say which with the option state`,
    );
  }
  const { prefix, tensors, outside } = match;
  if (match === other) onNote?.(`${file.path} has the weights that fit in "${prefix.replace(/\.$/, "")}"`);
  else if (prefix !== "" && outside.length > 0) {
    const shown = outside.slice(0, 3).map(({ name }) => `"${name}"`);
    const rest = outside.length > 3 ? ` and ${outside.length - 3} more` : "";
    onNote?.(`${file.path}: the network's names begin with "${prefix}"; leaves out ${shown.join(", ")}${rest}`);
  }
  const unread = new Map(
    [...file.unread].flatMap(([name, problem]) => (name.startsWith(from) ? [[name.slice(from.length), problem]] : [])),
  );
  return { prefix, tensors, outside, unread };
}
