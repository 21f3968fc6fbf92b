import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { PublishedWeights } from "../published/imagenet.ts";
import type { LayerTensors } from "../formats/keras/weights-h5.ts";
import { kerasPaths } from "../formats/keras/layer-paths.ts";
import { modelLayers } from "../model/model-layers.ts";
import type { NamedTensor, TensorData } from "../bytes/named-tensor.ts";
import { collectedError } from "../weights-error.ts";

/** One weight of a model and the tensor that it shall become. */
export interface Assignment {
  /** The weight as the model names it. */
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly tensor: NamedTensor;
  /** The tensor's values in the order of the weight's axes; as they are by default. */
  readonly arrange?: (tensor: NamedTensor) => TensorData | Promise<TensorData>;
  /** The shape after `arrange`. */
  readonly shape: readonly number[];
}

export interface LoadReport {
  /** Tensors that were loaded. */
  readonly loaded: number;
  /** Names in the file that `ignore` left out. */
  readonly ignored: readonly string[];
}

export interface LoadOptions {
  /** Match layers by their names, or one after the other; by default by name, and by order where no name but every shape fits. */
  by?: "name" | "order";
  /** Layers that may be missing on either side. */
  ignore?: RegExp;
  /** The entry of `imagenetWeights` that the file is of: what Keras does to its tensors is done to them. */
  published?: Pick<PublishedWeights, "factors">;
}

/** Puts the tensors of a Keras file into a model, layer by layer: all of them, or an error that names all that do not fit. */
export async function loadKerasLayers(
  file: string,
  model: tfl.LayersModel,
  layers: readonly LayerTensors[],
  { by, ignore, published }: LoadOptions = {},
): Promise<LoadReport> {
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

/**
 * Gives every weight its tensor, or changes nothing: shapes are compared before the first byte is read, and all tensors are there before
 * the first weight changes.
 */
export async function assign(
  file: string,
  assignments: readonly Assignment[],
  problems: readonly string[] = [],
): Promise<void> {
  const misshaped = assignments.flatMap(({ name, variable, tensor, shape }) =>
    sameShape(variable.shape as number[], shape)
      ? []
      : [`misshaped: "${name}" is [${variable.shape}], the file's "${tensor.name}" is [${shape}]`],
  );
  const all = [...problems, ...misshaped];
  if (all.length > 0)
    throw collectedError(
      file,
      "",
      `the weights do not fit the model, nothing was changed (${all.length} differences)`,
      all,
    );
  const values: tf.Tensor[] = [];
  try {
    for (const { variable, tensor, arrange, shape } of assignments)
      values.push(asTensor(arrange === undefined ? tensor.read() : await arrange(tensor), shape, variable.dtype));
    for (const [index, { variable }] of assignments.entries()) variable.write(values[index]!);
  } finally {
    tf.dispose(values);
  }
}

/** Whole numbers are kept as such only where the weight is one: Keras' counters. */
function asTensor(values: TensorData, shape: readonly number[], dtype: string): tf.Tensor {
  if (dtype === "int32")
    return tf.tensor(values instanceof Int32Array ? values : Int32Array.from(values), shape as number[], "int32");
  return tf.tensor(values instanceof Float32Array ? values : Float32Array.from(values), shape as number[], "float32");
}

/** Whether it is the fixed convolution that local response normalisation is in Keras' files: `norm1.2` of our `norm1`. */
function standsFor(model: tfl.LayersModel, { layer: saved }: LayerTensors): boolean {
  return model.layers.some(
    (layer) => layer.getClassName() === "LocalResponseNormalization" && saved.startsWith(`${layer.name}.`),
  );
}

/** The weight's own name: `kernel` of `conv1/kernel`. */
export function weightName(variable: tfl.LayerVariable): string {
  return variable.originalName.slice(variable.originalName.lastIndexOf("/") + 1);
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

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
