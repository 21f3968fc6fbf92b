import type * as tfl from "@tensorflow/tfjs-layers";
import { memoryTensor } from "../bytes/named-tensor.ts";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { ownLayerName } from "../formats/torch/names.ts";
import { matchStructure } from "../formats/torch/structure.ts";
import type { StructureReport } from "../formats/torch/structure.ts";
import { refuseProblems, torchWeights } from "../formats/torch/weights.ts";
import { assign } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { adaptedStem, channelsHint, stemOf } from "../model/channels.ts";
import { modelLayers } from "../model/model-layers.ts";
import { weightName } from "../model/weight-name.ts";
import { WeightsError } from "../weights-error.ts";
import type { LoadWeightsOptions, LoadWeightsReport } from "./keras-layers.ts";
import { checkTwins } from "./told-network.ts";
import { matchNames } from "./matching-names.ts";
import type { MatchedNames } from "./matching-names.ts";
import type { WeightsFile } from "./weights-file.ts";

/** Tensors of PyTorch's states that tfjs does not need: counters, and auxiliary classifiers that only training uses. */
const spare = /(^|\.)num_batches_tracked$|^n_averaged$|^(aux\d*|AuxLogits)\./;

/** Loads a file with PyTorch's names and order of axes. */
export async function loadTorch(
  model: tfl.LayersModel,
  file: WeightsFile,
  { ignore, channels, withTop, onNote }: LoadWeightsOptions,
): Promise<LoadWeightsReport> {
  refuseProblems(file.path, model);
  const weights = torchWeights(model);
  refuseQuantized(file);
  const ofTop = topNames(weights, withTop);
  const { prefix, tensors, outside, unread } = networkTensors(
    { ...file, tensors: file.tensors.map(renamed) },
    weights.map(({ torchName, torchShape }) => ({ name: torchName, shape: torchShape })),
    onNote,
  );
  const stem = stemOf(model, weights);
  if (weights.some(({ torchName }) => !tensors.has(torchName) && ignore?.test(torchName) !== true)) {
    const needed = withoutWrappers(file.tensors.map(renamed)).filter(({ name }) => !spare.test(name));
    const structure = matchStructure(model, weights, {
      tensors: needed.map((tensor) => adaptedStem(tensor, stem, channels)),
      spareModules: new Set([...ofTop].map(moduleOf)).size,
    });
    if (typeof structure === "string")
      throw new WeightsError(file.path, "", `the weights do not fit the model, nothing was changed: ${structure}`);
    if (structure !== undefined) {
      const note = checkTwins(model.name, file, "timm");
      const report = await loadStructure(model, file.path, structure);
      if (note !== undefined) onNote?.(`${file.path}: ${note}`);
      return report;
    }
  }
  if (unread.size === 0) refuseOther(file.path, weights, tensors, ignore);
  checkTwins(model.name, file, "ours");
  const problems: string[] = [];
  const ignored = outside.map(({ name }) => name);
  const assignments: Assignment[] = [];
  for (const { torchName, name, variable, torchShape, fromTorch } of weights) {
    const found = tensors.get(torchName);
    const tensor = found === undefined ? undefined : adaptedStem(found, stem, channels, torchName);
    tensors.delete(torchName);
    const problem = unread.get(prefix + torchName) ?? unread.get(torchName);
    if (tensor === undefined && problem !== undefined) problems.push(`unread: "${torchName}" ${problem}`);
    else if (tensor === undefined) {
      if (ignore?.test(torchName) === true) ignored.push(torchName);
      else problems.push(`missing: "${torchName}" [${torchShape}], which is "${name}" here, is not in the file`);
    } else if (String(tensor.shape) !== String(torchShape)) {
      problems.push(
        `misshaped: "${torchName}" should be [${torchShape}], in the file it is [${tensor.shape}]${channelsHint(tensor, stem, torchName)}`,
      );
    } else assignments.push({ name, variable, tensor, arrange: fromTorch, shape: variable.shape as number[] });
  }
  // In a quantized network each quantized tensor is a weight; beside float weights it is none, like a sparse one.
  const isQuantized = assignments.some(({ tensor }) => tensor.form === "quantized");
  for (const [name, { shape, dtype, form }] of tensors) {
    if (spare.test(name) || ofTop.has(name) || ignore?.test(name) === true) ignored.push(name);
    else if (!dtype.includes("float") || form === "sparse" || (form === "quantized" && !isQuantized)) {
      const kind =
        form === undefined ? `no layer has weights of ${dtype}` : `a ${form} tensor, and no layer has this name`;
      onNote?.(`${file.path} leaves out "${name}": ${kind}`);
      ignored.push(name);
    } else {
      const own = ownLayerName(model.name, moduleOf(name));
      problems.push(`extra: the file has "${prefix}${name}" [${shape}], the model has no layer "${own}" for it`);
    }
  }
  await assign(file.path, assignments, problems);
  return { loaded: assignments.length, ignored };
}

/** Libraries that quantize weights to formats of their own, and how the names of their tensors end. */
const quantizers: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)(qweight|qzeros)$/, "GPTQ or AWQ"],
  [/\.(weight\.(absmax|quant_map|nested_absmax|quant_state\..+)|SCB)$/, "bitsandbytes"],
  [/\.(weight_packed|weight_scale|weight_scale_inv)$/, "compressed-tensors"],
  [/\.weight\._(data|scale)$/, "quanto"],
];

/** Throws for weights that a library quantized to a format of its own: without its scales they are other numbers. */
function refuseQuantized({ path, tensors }: WeightsFile): void {
  for (const { name } of tensors) {
    const library = quantizers.find(([ending]) => ending.test(name))?.[1];
    if (library !== undefined)
      throw new WeightsError(
        path,
        `tensor "${name}"`,
        `the weights are quantized by ${library}, which is not read, nothing was changed: save the model dequantized, as floats`,
      );
  }
}

function moduleOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/** PyTorch's names of the weights that the model would have with its top. */
function topNames(
  weights: readonly { readonly torchName: string }[],
  withTop: tfl.LayersModel | undefined,
): ReadonlySet<string> {
  const own = new Set(weights.map(({ torchName }) => torchName));
  const all = withTop === undefined ? [] : torchWeights(withTop);
  return new Set(all.map(({ torchName }) => torchName).filter((name) => !own.has(name)));
}

/**
 * A name as torchvision has it today: its published files of DenseNet still have `norm.1` for `norm1`. Source:
 * torchvision/models/densenet.py, _load_state_dict.
 */
function renamed(tensor: NamedTensor): NamedTensor {
  const name = tensor.name.replace(/(denselayer\d+\.(?:norm|relu|conv))\.([12])(?=\.)/, "$1$2");
  return name === tensor.name ? tensor : { ...tensor, name };
}

/** Throws one sentence for a file of another network, of which no name fits: a list of all names would tell no more. */
function refuseOther(
  path: string,
  weights: readonly { readonly torchName: string; readonly torchShape: readonly number[] }[],
  tensors: ReadonlyMap<string, NamedTensor>,
  ignore: RegExp | undefined,
): void {
  const wanted = weights.filter(({ torchName }) => ignore?.test(torchName) !== true);
  const [first] = wanted;
  const [other] = [...tensors.values()].filter(({ name }) => !spare.test(name));
  if (first === undefined || other === undefined || wanted.length < 3) return;
  if (wanted.some(({ torchName }) => tensors.has(torchName))) return;
  throw new WeightsError(
    path,
    "",
    `holds the weights of another network, nothing was changed: none of the model's ${wanted.length} names is in the file; the model's first is "${first.torchName}" [${first.torchShape}], the file's is "${other.name}" [${other.shape}]`,
  );
}

/** The tensors without the names of wrappers that all of them begin with. */
function withoutWrappers(tensors: readonly NamedTensor[]): NamedTensor[] {
  const wrapper = /^(module|model|_orig_mod|backbone|net)\./;
  let named = [...tensors];
  while (named.length > 0 && named.every(({ name }) => wrapper.test(name)))
    named = named.map((tensor) => ({ ...tensor, name: tensor.name.replace(wrapper, "") }));
  return named;
}

/** Mean and deviation of ImageNet's colors, by which PyTorch's networks expect images to be scaled. */
const torchColors = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Loads weights that were matched by their order. A Normalization, which PyTorch has outside, gets ImageNet's colors. */
async function loadStructure(
  model: tfl.LayersModel,
  path: string,
  { matches, left }: StructureReport,
): Promise<LoadWeightsReport> {
  const assignments = matches.map(({ weight: { name, variable }, tensor, arrange }): Assignment => ({
    name,
    variable,
    tensor,
    arrange,
    shape: variable.shape as number[],
  }));
  const colors = modelLayers(model)
    .filter(({ layer }) => layer.getClassName() === "Normalization")
    .flatMap(({ name, weights }) =>
      weights.map((variable): Assignment => {
        const part = weightName(variable);
        const values = part === "mean" ? torchColors.mean : torchColors.std.map((value) => value * value);
        const data = part === "count" ? Int32Array.of(1) : Float32Array.from(values);
        const shape = part === "count" ? [] : [data.length];
        return { name: `${name}/${part}`, variable, tensor: memoryTensor(part, shape, data), shape };
      }),
    );
  await assign(path, [...assignments, ...colors]);
  return { loaded: assignments.length, ignored: left };
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
