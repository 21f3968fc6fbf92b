import { graphNodes, receptiveFields } from "@convkit/core";
import type { Pair } from "@convkit/core";
import { checkEngine, checkModel, checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { firstPixel } from "./first-pixel.ts";

export interface MeasureOptions {
  /** Name of the layer whose center is measured; the last feature map by default. */
  readonly layer?: string | undefined;
  /** Images as the network takes them, `[n, h, w, c]`; normally distributed noise by default. */
  readonly images?: tf.Tensor4D | undefined;
  /** Number of noise images without `images`; 8 by default. */
  readonly samples?: number | undefined;
  /** Seed of the noise; 1 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<MeasureOptions> = { layer: true, images: true, samples: true, seed: true };

/** The weight of each pixel of an image for the center of a feature map. */
export interface MeasuredReceptiveField {
  readonly layer: string;
  /** Height and width of the whole receptive field by arithmetic, which may exceed the image. */
  readonly theoretical: Pair;
  /** Pixels of the image between the fields of neighboring positions. */
  readonly stride: Pair;
  /** Row and column where the field of position (0, 0) starts: negative in the padding. Missing where it is not known. */
  readonly offset?: Pair;
  /** Row and column of the measured position of the map. */
  readonly position: Pair;
  /** Height and width around the middle of the image that contain 95 % of the weight. */
  readonly effective: Pair;
  /** The Gaussian with the same mean and deviation as the weights, in pixels along each axis. */
  readonly gaussian: { readonly center: Pair; readonly deviation: Pair };
  /** Number of images that the weights are a mean over. */
  readonly samples: number;
  /** Height and width of the images. */
  readonly size: Pair;
  /** `[h, w]`; the largest weight is 1. */
  readonly weights: Float32Array;
}

/**
 * Measures the effective receptive field: the mean absolute gradient of a feature map's center by the pixels, over
 * images. Luo et al. 2016, https://arxiv.org/abs/1701.04128
 *
 * Throws an `OptionError` for a model with several inputs, a layer without a feature map and images of another shape.
 */
export async function measuredReceptiveField(
  model: tfl.LayersModel,
  options?: MeasureOptions,
): Promise<MeasuredReceptiveField> {
  const where = "measuredReceptiveField";
  checkModel(where, model);
  checkOptions(where, options, names);
  checkEngine(where);
  const { layer: name, images, samples = 8, seed = 1 } = options ?? {};
  checkWhole(where, "samples", samples, 1);
  checkWhole(where, "seed", seed, 0);
  const output = mapOf(model, name);
  const shape = imageShape(model, images);
  const part = tfl.model({ inputs: model.inputs, outputs: output.tensor });
  const [count, height, width] = [images?.shape[0] ?? samples, shape[0], shape[1]];
  let position: Pair = [0, 0];
  const sums = tf.tidy(() => {
    const center = (x: tf.Tensor): tf.Scalar => {
      const map = part.apply(x) as tf.Tensor4D;
      position = [Math.floor(map.shape[1] / 2), Math.floor(map.shape[2] / 2)];
      return tf.sum(tf.slice(map, [0, ...position, 0], [1, 1, 1, map.shape[3]]));
    };
    const gradient = tf.grad(center);
    const image = (index: number): tf.Tensor =>
      images === undefined
        ? tf.randomNormal([1, ...shape], 0, 1, "float32", seed + index)
        : tf.slice(images, [index, 0, 0, 0], [1, ...shape]);
    let sum: tf.Tensor = tf.zeros([height, width]);
    for (let index = 0; index < count; index++) {
      sum = tf.tidy(() => tf.add(sum, tf.sum(tf.abs(gradient(image(index))), [0, 3])));
    }
    return sum;
  });
  const values = await sums.data<"float32">();
  sums.dispose();
  const most = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const weights = values.map((value) => value / most);
  const field = receptiveFields(model).get(output.layer);
  const offset = firstPixel(model, [null, ...shape], output.layer);
  const [rows, columns] = [profile(weights, width, "rows"), profile(weights, width, "columns")];
  const fits = [gaussianFit(rows), gaussianFit(columns)] as const;
  return {
    layer: output.layer,
    theoretical: field?.size ?? [1, 1],
    stride: field?.stride ?? [1, 1],
    ...(offset === undefined ? {} : { offset }),
    position,
    effective: [extent(rows), extent(columns)],
    gaussian: {
      center: [fits[0].center, fits[1].center],
      deviation: [fits[0].deviation, fits[1].deviation],
    },
    samples: count,
    size: [height, width],
    weights,
  };
}

function mapOf(model: tfl.LayersModel, name: unknown): { layer: string; tensor: tfl.SymbolicTensor } {
  const maps = graphNodes(model).filter(({ outputs }) => outputs.length === 1 && outputs[0]?.shape.length === 4);
  const found = name === undefined ? maps.at(-1) : maps.find(({ layer }) => layer.name === name);
  if (found !== undefined) return { layer: found.layer.name, tensor: found.outputs[0] as tfl.SymbolicTensor };
  const known = maps.map(({ layer }) => layer.name);
  throw new OptionError(
    known.length === 0
      ? `${model.name} has no feature map: expected a layer with an output [n, h, w, c].`
      : `${model.name} has no feature map ${shown(name)}: the maps are ${known.join(", ")}.`,
  );
}

function imageShape(model: tfl.LayersModel, images: tf.Tensor4D | undefined): [number, number, number] {
  const [input, ...others] = model.inputs;
  if (input === undefined || others.length > 0 || input.shape.length !== 4) {
    throw new OptionError(
      `measuredReceptiveField: expected a model with one input of images [n, h, w, c], got ${shown(model.inputs.map(({ shape }) => shape))}.`,
    );
  }
  const wanted = input.shape.slice(1);
  if (images === undefined)
    return wanted.map((size, axis) => size ?? (axis === 2 ? 3 : 224)) as [number, number, number];
  const shape = (images as Partial<tf.Tensor>).shape;
  if (shape?.length !== 4 || shape[0] === 0 || wanted.some((size, axis) => size !== null && size !== shape[axis + 1])) {
    throw new OptionError(
      `measuredReceptiveField: expected images as a tensor ${shown([null, ...wanted])}, got ${shape === undefined ? shown(images) : shown(shape)}.`,
    );
  }
  return shape.slice(1) as [number, number, number];
}

/** Sums of the weights over the other axis. */
function profile(weights: Float32Array, width: number, axis: "rows" | "columns"): Float64Array {
  const line = new Float64Array(axis === "columns" ? width : weights.length / width);
  weights.forEach((weight, place) => {
    line[axis === "rows" ? Math.floor(place / width) : place % width]! += weight;
  });
  return line;
}

function gaussianFit(line: Float64Array): { center: number; deviation: number } {
  const total = line.reduce((a, b) => a + b, 0) || 1;
  const center = line.reduce((sum, weight, i) => sum + (weight / total) * i, 0);
  const variance = line.reduce((sum, weight, i) => sum + (weight / total) * (i - center) ** 2, 0);
  return { center, deviation: Math.sqrt(variance) };
}

/** The width around the middle that contains 95 % of the weight. */
function extent(line: Float64Array): number {
  const total = line.reduce((a, b) => a + b, 0);
  const middle = Math.floor(line.length / 2);
  let sum = line[middle]!;
  let radius = 0;
  while (sum < 0.95 * total && radius < line.length) {
    radius += 1;
    sum += (line[middle - radius] ?? 0) + (line[middle + radius] ?? 0);
  }
  return Math.min(line.length, 2 * radius + 1);
}
