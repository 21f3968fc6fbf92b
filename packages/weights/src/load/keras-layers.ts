import { checkValues, oneOf, type OptionNames, someText } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { PublishedWeights } from "../published/imagenet.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import { kerasClassName, pathBase } from "../formats/keras/class-name.ts";
import { followers, kerasPaths, safeName } from "../formats/keras/layer-paths.ts";
import { RecurrentStack } from "../layers/recurrent-stack.ts";
import { MaskedLayer, SpectralNormalization } from "../layers/wrappers.ts";
import { fromCudnn } from "../formats/keras/cudnn.ts";
import { plainTensors } from "../formats/keras/dequantize.ts";
import type { PlainTensors } from "../formats/keras/dequantize.ts";
import { distinctNames, modelLayers, nestedModel } from "../model/model-layers.ts";
import type { NamedTensor, TensorData } from "../bytes/named-tensor.ts";
import { adaptedKernel, kernelHint } from "../model/channels.ts";
import { assign, sameShape } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { weightName } from "../model/weight-name.ts";

export interface LoadWeightsReport {
  /** Number of tensors loaded. */
  readonly loaded: number;
  /** Names in the file that `ignore` left out. */
  readonly ignored: readonly string[];
}

export interface LoadWeightsOptions {
  /**
   * How layers match: by name or by order. By default by name, or by order if names do not fit but all shapes in order
   * do.
   */
  readonly by?: "name" | "order" | undefined;
  /**
   * Names (of layers in Keras' files, of tensors in PyTorch's) that the model or the file may lack; none by default.
   */
  readonly ignore?: RegExp | undefined;
  /**
   * "adapt": loads a first convolution of other input channels, as timm does: for one channel it sums the file's, for
   * more it repeats the three colors and scales them. By default such a file is refused.
   */
  readonly channels?: "adapt" | undefined;
  /**
   * For a network of the zoo that was made without its top: the same network with it. The file may then have the
   * weights of the top, of any number of classes, and they are left out. By default they are refused.
   */
  readonly withTop?: tfl.LayersModel | undefined;
  /**
   * The entry of `imagenetWeights` for this file, none by default. Its factors are applied to the tensors, as Keras
   * does.
   */
  readonly published?: Pick<PublishedWeights, "factors"> | undefined;
  /**
   * Which weights of a PyTorch checkpoint, by the keys that lead to them: "model_ema". By default the state dict
   * under a usual key such as "state_dict" or "model", else the whole file.
   */
  readonly state?: string | undefined;
  /** Receives a sentence about each choice that the reader made: weights left out, types changed. None by default. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export const loadWeightsNames: OptionNames<LoadWeightsOptions> = {
  by: true,
  ignore: true,
  channels: true,
  withTop: true,
  published: true,
  state: true,
  onNote: true,
};

/** Throws an `OptionError` for a way of loading that there is not. */
export function checkLoading(where: string, options: LoadWeightsOptions): void {
  checkValues(where, options, { by: oneOf(["name", "order"]), channels: oneOf(["adapt"]), state: someText });
}

/**
 * Loads the tensors of a Keras file into a model, layer by layer. Loads all of them, or throws an error that names
 * each one that does not fit.
 */
export async function loadKerasLayers(
  file: string,
  model: tfl.LayersModel,
  layers: readonly LayerTensors[],
  { by, ignore, channels, withTop, published, onNote }: LoadWeightsOptions = {},
  loraFactors?: ReadonlyMap<string, number>,
): Promise<LoadWeightsReport> {
  const own = modelLayers(model).filter(({ weights }) => weights.length > 0);
  const ofTop = topLayers(model, withTop);
  const filled = layers.filter(({ tensors }) => tensors.length > 0);
  const theirs = filled.filter(({ layer }) => !ofTop.has(layer));
  const undone = new Map<string, string[]>();
  const pairs = pairLayers(model, own, theirs, by).map(([layer, stored]): Pair => {
    if (layer === undefined || stored === undefined) return [layer, stored];
    const saved = { ...stored, tensors: fromCudnn(layer.weights, stored.tensors) };
    const plain = asPlain(layer, saved, loraFactors);
    if (plain === undefined) return [layer, saved];
    undone.set(plain.what, [...(undone.get(plain.what) ?? []), layer.name]);
    return [layer, { ...saved, tensors: plain.tensors }];
  });
  const problems: string[] = [];
  const ignored = filled.map(({ layer }) => layer).filter((name) => ofTop.has(name));
  const assignments: Assignment[] = [];
  const skip = (name: string, problem: string): void =>
    void (ignore?.test(name) === true ? ignored.push(name) : problems.push(problem));
  for (const [layer, saved] of pairs) {
    if (layer === undefined && standsFor(model, saved!)) ignored.push(saved!.layer);
    else if (layer === undefined)
      skip(
        saved!.layer,
        `extra: the file has layer "${saved!.layer}" (${shapesOf(saved!.tensors)}), the model has not`,
      );
    else if (saved === undefined)
      skip(
        layer.name,
        `missing: layer "${layer.name}" (${layer.weights.map(({ shape }) => `[${shape}]`).join(", ")}) is not in the file`,
      );
    else if (layer.weights.length !== saved.tensors.length) {
      skip(
        layer.name,
        `layer "${layer.name}" has ${layer.weights.length} weights, the file's "${saved.layer}" has ${saved.tensors.length} (${shapesOf(saved.tensors)})`,
      );
    } else {
      for (const [index, variable] of layer.weights.entries()) {
        const tensor = adaptedKernel(model, variable, saved.tensors[index]!, channels);
        const name = `${layer.name}/${weightName(variable)}`;
        const factors = published?.factors?.[name];
        assignments.push({
          name,
          variable,
          tensor,
          ...(factors === undefined ? {} : { arrange: multiplied(factors) }),
          shape: fittingShape(variable, tensor),
          hint: kernelHint(model, variable, tensor),
        });
      }
    }
  }
  await assign(file, assignments, problems);
  for (const [what, names] of undone) onNote?.(`${file} ${undoing(what, names)}`);
  return { loaded: assignments.length, ignored };
}

/** Names of the layers that the model would have with its top. */
function topLayers(model: tfl.LayersModel, withTop: tfl.LayersModel | undefined): ReadonlySet<string> {
  const own = new Set(modelLayers(model).map(({ name }) => name));
  const all = withTop === undefined ? [] : modelLayers(withTop);
  return new Set(all.map(({ name }) => name).filter((name) => !own.has(name)));
}

/** The float weights of a layer that Keras quantized, or that has LoRA beside its kernel. */
function asPlain(
  { name, layer, weights }: OwnLayer,
  { tensors }: LayerTensors,
  loraFactors: ReadonlyMap<string, number> | undefined,
): PlainTensors | undefined {
  const { equation } = layer.getConfig();
  const own = {
    className: layer.getClassName(),
    shapes: weights.map((weight) => weight.shape as number[]),
    loraFactor: loraFactors?.get(name),
    ...(typeof equation === "string" ? { equation } : {}),
  };
  return plainTensors(own, tensors);
}

function undoing(what: string, names: readonly string[]): string {
  const layers = names.map((name) => `"${name}"`).join(", ");
  return what === "LoRA"
    ? `has LoRA beside the kernels of ${layers}: they are added to them`
    : `is quantized to ${what} in ${layers}: the weights are dequantized here, and Keras, which may round inputs too, differs a little`;
}

/**
 * Whether a saved layer is the fixed convolution that stands for local response normalisation in Keras' files:
 * `norm1.2` for our `norm1`.
 */
function standsFor(model: tfl.LayersModel, { layer: saved }: LayerTensors): boolean {
  return model.layers.some(
    (layer) => layer.getClassName() === "LocalResponseNormalization" && saved.startsWith(`${layer.name}.`),
  );
}

type OwnLayer = ReturnType<typeof modelLayers>[number];
type Pair = readonly [OwnLayer | undefined, LayerTensors | undefined];

/**
 * Pairs layers with saved layers. Keras' generated names contain counters that differ from run to run, so layers match
 * by order if names do not fit and all shapes do.
 */
function pairLayers(
  model: tfl.LayersModel,
  own: readonly OwnLayer[],
  theirs: readonly LayerTensors[],
  by: "name" | "order" | undefined,
): Pair[] {
  if (by === "name") return pairByName(model, own, theirs);
  const ordered = pairByOrder(own, theirs);
  if (by === "order") return ordered;
  const named = pairByName(model, own, theirs);
  return fits(named) || !fits(ordered) ? named : ordered;
}

function fits(pairs: readonly Pair[]): boolean {
  return pairs.every(
    ([layer, saved]) =>
      layer !== undefined &&
      saved !== undefined &&
      layer.weights.length === saved.tensors.length &&
      layer.weights.every((variable, index) =>
        sameShape(variable.shape as number[], fittingShape(variable, saved.tensors[index]!)),
      ),
  );
}

/**
 * True if every layer name of the model occurs in the file and names are unique on both sides. Names are then safer
 * than paths, whose counters shift if the file has layers that the model lacks.
 */
function namesTellApart(
  paths: ReadonlyMap<tfl.layers.Layer, string>,
  own: readonly OwnLayer[],
  theirs: readonly LayerTensors[],
): boolean {
  const [ownNames, savedNames] = [new Set(own.map(({ name }) => name)), new Set(theirs.map(({ layer }) => layer))];
  const areUnique = ownNames.size === own.length && savedNames.size === theirs.length;
  // A wrapper's weights are saved in several groups, below the wrapper's own.
  const wrappers = own.flatMap(({ layer }) => ("layer" in layer ? [`${paths.get(layer)}/`] : []));
  const hasParts = theirs.some(({ path }) => wrappers.some((wrapper) => path?.startsWith(wrapper) === true));
  return areUnique && !hasParts && [...ownNames].every((name) => savedNames.has(name));
}

/**
 * Matches layers by name if names are unique, else by the unique paths of a Keras 3 file. Layers without a path, and
 * all layers of an .h5 file, match by name.
 */
function pairByName(model: tfl.LayersModel, own: readonly OwnLayer[], theirs: readonly LayerTensors[]): Pair[] {
  const { pairs, rest } = namesTellApart(kerasPaths(model), own, theirs)
    ? { pairs: [] as Pair[], rest: theirs }
    : pairByPath(model, own, theirs);
  const left = new Set(own.filter((layer) => !pairs.some(([found]) => found === layer)));
  const top = new Map(model.layers.toReversed().map((layer) => [savedName(layer), layer]));
  const byLayer = new Map([...left].map((part) => [part.layer, part]));
  const byName = new Map([...left].toReversed().map((part) => [savedName(part.layer), part]));
  for (const saved of rest) {
    const outer = top.get(saved.layer) ?? top.get(safeName(saved.layer));
    // A layer of the model itself takes precedence over a layer of the same name in a nested model.
    const layer =
      outer === undefined
        ? (byName.get(saved.layer) ?? byName.get(safeName(saved.layer)))
        : (withFollower(byLayer.get(outer)) ?? nested(outer));
    if (layer !== undefined)
      for (const part of own) if (part === layer || layer.parts?.has(part.layer)) left.delete(part);
    pairs.push([layer, saved]);
  }
  return [...pairs, ...[...left].map((layer): Pair => [layer, undefined])];
}

/** The name of a layer in files: a layer that takes a mask here is the recurrent layer that it holds. */
function savedName(layer: tfl.layers.Layer): string {
  return layer instanceof MaskedLayer ? layer.layer.name : layer.name;
}

/** Parts of a layer that have their own weights in a Keras 3 file, in tfjs' order. */
const partOrder = ["", "layer", "forward_layer", "backward_layer", "cell", "query_dense", "key_dense", "value_dense"];

function pairByPath(
  model: tfl.LayersModel,
  own: readonly OwnLayer[],
  theirs: readonly LayerTensors[],
): { pairs: Pair[]; rest: LayerTensors[] } {
  const paths = kerasPaths(model);
  const byPath = new Map(own.toReversed().map((part) => [paths.get(part.layer), part]));
  const found = new Map<OwnLayer, { inner: string; saved: LayerTensors }[]>();
  const rest: LayerTensors[] = [];
  for (const saved of theirs) {
    const steps = saved.path?.split("/") ?? [];
    const length = steps.findLastIndex((_, index) => byPath.has(steps.slice(0, index + 1).join("/")));
    const layer = length === -1 ? undefined : byPath.get(steps.slice(0, length + 1).join("/"));
    if (layer === undefined) rest.push(saved);
    else found.set(layer, [...(found.get(layer) ?? []), { inner: steps.slice(length + 1).join("/"), saved }]);
  }
  const rank = (step: string): number => {
    const at = partOrder.indexOf(step.replace(/^_/, ""));
    return at === -1 ? partOrder.length : at;
  };
  // Wrappers within wrappers: the first steps may be equal, as in `layer/forward_layer/cell`.
  const byRank = (a: string, b: string): number => {
    const [from, to] = [a.split("/"), b.split("/")];
    const steps = from.map((step, index) => rank(step) - rank(to[index] ?? ""));
    return steps.find((difference) => difference !== 0) ?? from.length - to.length;
  };
  const pairs = [...found].map(([layer, parts]): Pair => {
    const wrapped = wrappedLayers(layer.layer);
    const cells = wrapped.flatMap((each) => (each instanceof RecurrentStack ? cellPaths(each) : []));
    const cell = (inner: string): number => cells.findIndex((path) => `/${inner}`.endsWith(`/${path}`));
    const sorted = parts.toSorted((a, b) => byRank(a.inner, b.inner) || cell(a.inner) - cell(b.inner));
    // The group of a SpectralNormalization repeats the kernel of its layer.
    const isRepeated = sorted.length > 1 && wrapped.some((each) => each instanceof SpectralNormalization);
    const tensors = isRepeated
      ? [...sorted[1]!.saved.tensors, ...sorted[0]!.saved.tensors.slice(1)]
      : sorted.flatMap(({ saved }) => saved.tensors);
    return [layer, { ...parts[0]!.saved, tensors }];
  });
  return { pairs, rest };
}

/** A layer, the layer that it wraps, the layer that this one wraps, and so on. */
function wrappedLayers(layer: tfl.layers.Layer): tfl.layers.Layer[] {
  const { layer: held } = layer as { layer?: tfl.layers.Layer };
  return held === undefined ? [layer] : [layer, ...wrappedLayers(held)];
}

/** The paths of stacked cells, which Keras counts by class: `cell/cells/gru_cell_1`. */
function cellPaths({ stack }: RecurrentStack): string[] {
  const names = stack.map((layer) => pathBase(`${kerasClassName(layer)}Cell`));
  return distinctNames(names).map((name) => `cell/cells/${name}`);
}

/** Joins a layer with the layer given as its activation: an .h5 stores the weights of both in one group. */
function withFollower(own: OwnLayer | undefined): OwnLayer | undefined {
  const follower = own === undefined ? undefined : followers.get(own.layer);
  if (own === undefined || follower === undefined) return own;
  return { ...own, weights: [...own.weights, ...follower.weights], parts: new Set([own.layer, follower]) };
}

/** A nested model as one layer, since Keras 2 saves its weights like those of a single layer. */
function nested(layer: tfl.layers.Layer | undefined): OwnLayer | undefined {
  const model = layer === undefined ? undefined : nestedModel(layer);
  if (layer === undefined || model === undefined) return undefined;
  return {
    name: layer.name,
    layer,
    weights: layer.weights,
    parts: new Set(modelLayers(model).map((part) => part.layer)),
  };
}

function pairByOrder(own: readonly OwnLayer[], theirs: readonly LayerTensors[]): Pair[] {
  return Array.from({ length: Math.max(own.length, theirs.length) }, (_, index): Pair => [own[index], theirs[index]]);
}

function shapesOf(tensors: readonly NamedTensor[]): string {
  return tensors.map(({ shape }) => `[${shape}]`).join(", ");
}

/** Multiplies one value per channel by the channel's factor. */
function multiplied(factors: readonly number[]): (tensor: NamedTensor) => TensorData {
  return (tensor) => Float32Array.from(tensor.read(), (value, channel) => value * factors[channel]!);
}

/**
 * The shape to compare with the weight's. Keras' Normalization saves its statistics with axes of size 1 before the
 * channels; these are ignored.
 */
function fittingShape(variable: tfl.LayerVariable, { shape }: NamedTensor): readonly number[] {
  const trimmed = shape.filter((size) => size !== 1);
  const own = (variable.shape as number[]).filter((size) => size !== 1);
  const isStatistic = ["mean", "variance", "count"].includes(weightName(variable));
  return isStatistic && sameShape(trimmed, own) ? (variable.shape as number[]) : shape;
}
