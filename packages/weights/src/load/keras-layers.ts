import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { PublishedWeights } from "../published/imagenet.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import { kerasPaths } from "../formats/keras/layer-paths.ts";
import { modelLayers } from "../model/model-layers.ts";
import type { NamedTensor, TensorData } from "../bytes/named-tensor.ts";
import { assign, sameShape } from "../model/assign.ts";
import type { Assignment } from "../model/assign.ts";
import { weightName } from "../model/weight-name.ts";

export interface LoadWeightsReport {
  /** Tensors that were loaded. */
  readonly loaded: number;
  /** Names in the file that `ignore` left out. */
  readonly ignored: readonly string[];
}

export interface LoadWeightsOptions {
  /** Match layers by their names, or one after the other; by default by name, and by order where no name but every shape fits. */
  readonly by?: "name" | "order" | undefined;
  /** Layers that may be missing on either side. */
  readonly ignore?: RegExp | undefined;
  /** The entry of `imagenetWeights` that the file is of: what Keras does to its tensors is done to them. */
  readonly published?: Pick<PublishedWeights, "factors"> | undefined;
}

export const loadWeightsNames: OptionNames<LoadWeightsOptions> = { by: true, ignore: true, published: true };

/** Puts the tensors of a Keras file into a model, layer by layer: all of them, or an error that names all that do not fit. */
export async function loadKerasLayers(
  file: string,
  model: tfl.LayersModel,
  layers: readonly LayerTensors[],
  { by, ignore, published }: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  const own = modelLayers(model).filter(({ weights }) => weights.length > 0);
  const theirs = layers.filter(({ tensors }) => tensors.length > 0);
  const pairs = pairLayers(model, own, theirs, by);
  const problems: string[] = [];
  const ignored: string[] = [];
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
        const tensor = saved.tensors[index]!;
        const name = `${layer.name}/${weightName(variable)}`;
        const factors = published?.factors?.[name];
        assignments.push({
          name,
          variable,
          tensor,
          ...(factors === undefined ? {} : { arrange: multiplied(factors) }),
          shape: fittingShape(variable, tensor),
        });
      }
    }
  }
  await assign(file, assignments, problems);
  return { loaded: assignments.length, ignored };
}

/** Whether it is the fixed convolution that local response normalisation is in Keras' files: `norm1.2` of our `norm1`. */
function standsFor(model: tfl.LayersModel, { layer: saved }: LayerTensors): boolean {
  return model.layers.some(
    (layer) => layer.getClassName() === "LocalResponseNormalization" && saved.startsWith(`${layer.name}.`),
  );
}

type OwnLayer = ReturnType<typeof modelLayers>[number];
type Pair = readonly [OwnLayer | undefined, LayerTensors | undefined];

/** Names that Keras makes up by counting differ from run to run: then the order tells, if every shape agrees. */
function pairLayers(
  model: tfl.LayersModel,
  own: readonly OwnLayer[],
  theirs: readonly LayerTensors[],
  by: "name" | "order" | undefined,
): Pair[] {
  const ordered = pairByOrder(own, theirs);
  if (by === "order") return ordered;
  const named = pairByName(model, own, theirs);
  return by === "name" || fits(named) || !fits(ordered) ? named : ordered;
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

function pairByName(model: tfl.LayersModel, own: readonly OwnLayer[], theirs: readonly LayerTensors[]): Pair[] {
  const paths = kerasPaths(model);
  const byPath = new Map(own.toReversed().map((part) => [paths.get(part.layer), part]));
  const layers = new Map(model.layers.toReversed().map((layer) => [layer.name, layer]));
  const byName = new Map(own.toReversed().map((layer) => [layer.name, layer]));
  const found = new Set<OwnLayer>();
  const pairs: Pair[] = theirs.map((saved) => {
    const layer = byName.get(saved.layer) ?? byPath.get(saved.layer) ?? nested(layers.get(saved.layer));
    if (layer !== undefined)
      for (const part of own) if (part === layer || layer.parts?.includes(part.name) === true) found.add(part);
    return [layer, saved];
  });
  return [...pairs, ...own.filter((layer) => !found.has(layer)).map((layer): Pair => [layer, undefined])];
}

/** A model within the model, whose weights Keras 2 saves as those of one layer. */
function nested(layer: tfl.layers.Layer | undefined): OwnLayer | undefined {
  if (layer === undefined || !("layers" in layer)) return undefined;
  return {
    name: layer.name,
    layer,
    weights: layer.weights,
    parts: modelLayers(layer as tfl.LayersModel).map(({ name }) => name),
  };
}

function pairByOrder(own: readonly OwnLayer[], theirs: readonly LayerTensors[]): Pair[] {
  return Array.from({ length: Math.max(own.length, theirs.length) }, (_, index): Pair => [own[index], theirs[index]]);
}

function shapesOf(tensors: readonly NamedTensor[]): string {
  return tensors.map(({ shape }) => `[${shape}]`).join(", ");
}

/** A value for each channel, times that channel's factor. */
function multiplied(factors: readonly number[]): (tensor: NamedTensor) => TensorData {
  return (tensor) => Float32Array.from(tensor.read(), (value, channel) => value * factors[channel]!);
}

/** Keras' Normalization saved its statistics with sizes of 1 before the channels; the numbers are the same. */
function fittingShape(variable: tfl.LayerVariable, { shape }: NamedTensor): readonly number[] {
  const trimmed = shape.filter((size) => size !== 1);
  const own = (variable.shape as number[]).filter((size) => size !== 1);
  const isStatistic = ["mean", "variance", "count"].includes(weightName(variable));
  return isStatistic && sameShape(trimmed, own) ? (variable.shape as number[]) : shape;
}
