import { receptiveFields } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import { CliError } from "../terminal/usage-error.ts";

/** The weight of each pixel of an image for the center of a feature map. */
export interface EffectiveField {
  readonly layer: string;
  /** The whole receptive field, which may exceed the image. */
  readonly theoretical: readonly [number, number];
  /** Height and width around the center that hold 95 % of the weight. */
  readonly effective: readonly [number, number];
  readonly samples: number;
  readonly size: readonly [number, number];
  /** `[h, w]`; the largest weight is 1. */
  readonly weights: Float32Array;
}

/**
 * Measures the effective receptive field as Luo et al. 2016 (https://arxiv.org/abs/1701.04128) do: the mean
 * absolute gradient of a feature map's center with respect to the pixels, over random images.
 */
export async function effectiveField(model: tfl.LayersModel, layerName?: string, samples = 8): Promise<EffectiveField> {
  const maps = model.layers.filter((layer) => !Array.isArray(layer.outputShape[0]) && layer.outputShape.length === 4);
  const layer = layerName === undefined ? maps.at(-1) : maps.find((each) => each.name === layerName);
  if (layer === undefined)
    throw new CliError(
      `${model.name} has no feature map ${layerName ?? ""}: the maps are ${maps.map((each) => each.name).join(", ")}.`,
    );
  const part = tfl.model({ inputs: model.inputs, outputs: layer.output as tfl.SymbolicTensor });
  const [, height, width, channels] = model.inputs[0]!.shape.map((side) => side ?? 224) as [
    number,
    number,
    number,
    number,
  ];
  const sums = tf.tidy(() => {
    const center = (x: tf.Tensor) => {
      const map = part.apply(x) as tf.Tensor4D;
      const [h, w] = [Math.floor(map.shape[1] / 2), Math.floor(map.shape[2] / 2)];
      return tf.sum(tf.slice(map, [0, h, w, 0], [1, 1, 1, map.shape[3]]));
    };
    const gradient = tf.grad(center);
    const images = Array.from({ length: samples }, (_, seed) =>
      tf.randomNormal([1, height, width, channels], 0, 1, "float32", seed + 1),
    );
    return tf.addN(images.map((image) => tf.sum(tf.abs(gradient(image)), [0, 3])));
  });
  const values = await sums.data<"float32">();
  sums.dispose();
  const most = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const weights = values.map((value) => value / most);
  return {
    layer: layer.name,
    theoretical: receptiveFields(model).get(layer.name)?.size ?? [1, 1],
    effective: [extent(weights, height, width, "rows"), extent(weights, height, width, "columns")],
    samples,
    size: [height, width],
    weights,
  };
}

/** Draws the field as a picture, SVG or PNG by the extension of `path`. Pixels with large weights are bright. */
export async function fieldPicture(field: EffectiveField, path: string): Promise<Uint8Array | string> {
  const [height, width] = field.size;
  // The square root makes the faint rim visible.
  const pixels = Uint8Array.from(field.weights, (weight) => Math.round(Math.sqrt(weight) * 255));
  const scale = Math.max(1, Math.floor(448 / Math.max(height, width)));
  const picture = sharp(pixels, { raw: { width, height, channels: 1 } }).resize(width * scale, height * scale, {
    kernel: "nearest",
  });
  const png = await picture.png().toBuffer();
  if (!path.toLowerCase().endsWith(".svg")) return png;
  const [w, h] = [width * scale, height * scale];
  const box = field.effective.map((side) => side * scale) as [number, number];
  const rect = `<rect x="${(w - box[1]) / 2}" y="${(h - box[0]) / 2}" width="${box[1]}" height="${box[0]}" fill="none" stroke="#e07b00" stroke-width="2"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"><image width="${w}" height="${h}" href="data:image/png;base64,${png.toString("base64")}"/>${rect}</svg>\n`;
}

/** The width around the middle along one axis that holds 95 % of the weight. */
function extent(weights: Float32Array, height: number, width: number, axis: "rows" | "columns"): number {
  const length = axis === "rows" ? height : width;
  const line = new Float64Array(length);
  weights.forEach((weight, place) => (line[axis === "rows" ? Math.floor(place / width) : place % width]! += weight));
  const total = line.reduce((a, b) => a + b, 0);
  const middle = Math.floor(length / 2);
  let sum = line[middle]!;
  let radius = 0;
  while (sum < 0.95 * total && radius < length) {
    radius += 1;
    sum += (line[middle - radius] ?? 0) + (line[middle + radius] ?? 0);
  }
  return Math.min(length, 2 * radius + 1);
}
