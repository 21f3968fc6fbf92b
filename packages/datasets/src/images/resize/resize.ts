import { bilinearRows } from "./bilinear-rows.ts";
import type { LinearTaps } from "./bilinear-rows.ts";
import { weightedRows } from "./weighted-rows.ts";
import type { Taps } from "./weighted-rows.ts";

/**
 * How a pixel of the new size is computed from the old ones, as in `tf.image.resize` without antialiasing; "antialiased"
 * is bilinear with a kernel that widens when the image shrinks, as in Pillow and torchvision.
 */
export type ResizeMode = "bilinear" | "nearest" | "bicubic" | "area" | "antialiased";

export const resizeModes: readonly ResizeMode[] = ["bilinear", "nearest", "bicubic", "area", "antialiased"];

/** A part of an image: `[top, left, height, width]`. */
export type Region = readonly [top: number, left: number, height: number, width: number];

export interface Pixels {
  data: Uint8Array;
  shape: readonly [h: number, w: number, c: number];
}

/**
 * Resizes `region` of an image into `target`, `[h, w, c] -> [height, width, c]`, rounded to bytes. The samples have the
 * positions of TensorFlow's half-pixel kernels. So before rounding, the values equal those of Keras'
 * `image_dataset_from_directory` (area: `tf.image.resize(method="area")`).
 */
export function resizeInto(
  target: Uint8Array,
  [height, width]: readonly [number, number],
  source: Pixels,
  mode: ResizeMode,
  region: Region = [0, 0, source.shape[0], source.shape[1]],
): void {
  const [, , rows, columns] = region;
  if (rows === height && columns === width) copyRegion(target, source, region);
  else if (mode === "nearest") nearest(target, height, width, source, region);
  else if (mode === "bilinear") bilinear(target, height, width, source, region);
  else weighted(target, height, width, source, region, tapsOfMode[mode]);
}

/** How an image is resized. */
export interface FitOptions {
  /** How pixels are interpolated; "bilinear" by default. */
  resize?: ResizeMode | undefined;
  /**
   * Crops the largest centered region with the target's aspect ratio before resizing; false by default, which
   * stretches the image. A number resizes the image until the target covers that share of its shorter side, and then
   * crops the center: 0.875 is 224 of 256 pixels, as in torchvision and timm.
   */
  crop?: boolean | number | undefined;
}

/** Resizes a whole image, or its center, to `size`. */
export function fitInto(
  target: Uint8Array,
  size: readonly [number, number],
  source: Pixels,
  { resize = "bilinear", crop = false }: FitOptions,
): void {
  const [h, w, c] = source.shape;
  if (typeof crop === "number") {
    const [height, width] = coveringSize([h, w], size, crop);
    const whole = { data: new Uint8Array(height * width * c), shape: [height, width, c] as const };
    resizeInto(whole.data, [height, width], source, resize);
    const [top, left] = [roundHalfEven((height - size[0]) / 2), roundHalfEven((width - size[1]) / 2)];
    return copyRegion(target, whole, [top, left, ...size]);
  }
  resizeInto(target, size, source, resize, crop ? centerRegion([h, w], size) : [0, 0, h, w]);
}

/**
 * The size of an image of which the target covers `share` of the shorter side: torchvision's `Resize(floor(224 / 0.875))`, with the
 * longer side rounded down.
 */
function coveringSize(
  [h, w]: readonly [number, number],
  [height, width]: readonly [number, number],
  share: number,
): readonly [number, number] {
  const [rows, columns] = [Math.floor(height / share), Math.floor(width / share)];
  return h * columns < w * rows
    ? [rows, Math.max(columns, Math.trunc((w * rows) / h))]
    : [Math.max(rows, Math.trunc((h * columns) / w)), columns];
}

/** Rounds as Python does. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** The largest centered region with the target's aspect ratio: Keras' `crop_to_aspect_ratio` (`smart_resize`). */
export function centerRegion([h, w]: readonly [number, number], [height, width]: readonly [number, number]): Region {
  const rows = Math.max(1, Math.min(h, Math.trunc((w * height) / width)));
  const columns = Math.max(1, Math.min(w, Math.trunc((h * width) / height)));
  return [Math.trunc((h - rows) / 2), Math.trunc((w - columns) / 2), rows, columns];
}

function copyRegion(target: Uint8Array, { data, shape: [, w, c] }: Pixels, [top, left, rows, columns]: Region): void {
  for (let row = 0; row < rows; row++) {
    const from = ((top + row) * w + left) * c;
    target.set(data.subarray(from, from + columns * c), row * columns * c);
  }
}

function nearest(target: Uint8Array, height: number, width: number, source: Pixels, region: Region): void {
  const [top, left, rows, columns] = region;
  const {
    data,
    shape: [, w, c],
  } = source;
  const pick = (size: number, from: number) => {
    const scale = Math.fround(from / size);
    return Int32Array.from({ length: size }, (_, i) => Math.min(Math.floor(Math.fround((i + 0.5) * scale)), from - 1));
  };
  const [ys, xs] = [pick(height, rows), pick(width, columns)];
  let to = 0;
  for (let y = 0; y < height; y++) {
    const line = (top + ys[y]!) * w + left;
    for (let x = 0; x < width; x++) {
      const from = (line + xs[x]!) * c;
      for (let channel = 0; channel < c; channel++) target[to++] = data[from + channel]!;
    }
  }
}

function bilinear(target: Uint8Array, height: number, width: number, source: Pixels, region: Region): void {
  const [top, left, rows, columns] = region;
  const {
    data,
    shape: [, w, c],
  } = source;
  const vertical = linearTaps(height, rows);
  const horizontal = linearTaps(width, columns);
  if (c === 3) {
    bilinearRows(target, { vertical, horizontal }, { data, start: (top * w + left) * 3, stride: w * 3, columns });
    return;
  }
  const { low, high, share } = horizontal;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const upper = ((top + vertical.low[y]!) * w + left) * c;
    const lower = ((top + vertical.high[y]!) * w + left) * c;
    const down = vertical.share[y]!;
    for (let x = 0; x < width; x++) {
      const right = share[x]!;
      let upperLeft = upper + low[x]! * c;
      let upperRight = upper + high[x]! * c;
      let lowerLeft = lower + low[x]! * c;
      let lowerRight = lower + high[x]! * c;
      for (let channel = 0; channel < c; channel++) {
        const above = data[upperLeft]! + (data[upperRight++]! - data[upperLeft++]!) * right;
        const below = data[lowerLeft]! + (data[lowerRight++]! - data[lowerLeft++]!) * right;
        target[to++] = (above + (below - above) * down + 0.5) | 0;
      }
    }
  }
}

function linearTaps(size: number, from: number): LinearTaps {
  const taps: LinearTaps = { low: new Int32Array(size), high: new Int32Array(size), share: new Float32Array(size) };
  for (let i = 0; i < size; i++) {
    const at = sampleAt(i, size, from);
    const floor = Math.floor(at);
    taps.low[i] = Math.max(floor, 0);
    taps.high[i] = Math.min(Math.max(floor + 1, 0), from - 1);
    taps.share[i] = at - floor;
  }
  return taps;
}

/** The position of sample `i` of `size` among `from` pixels, in TensorFlow's single precision. */
function sampleAt(i: number, size: number, from: number): number {
  const scale = Math.fround(from / size);
  return Math.fround(Math.fround((i + 0.5) * scale) - 0.5);
}

type TapsOf = (size: number, from: number) => Taps;

/**
 * Resizes with any separable kernel: each new row is a weighted sum of old rows, then each new column of old columns.
 */
function weighted(
  target: Uint8Array,
  height: number,
  width: number,
  source: Pixels,
  region: Region,
  tapsOf: TapsOf,
): void {
  const [top, left, rows, columns] = region;
  const {
    data,
    shape: [, w, c],
  } = source;
  const vertical = tapsOf(height, rows);
  const horizontal = tapsOf(width, columns);
  if (c === 3) {
    const rowAt = (y: number) => data.subarray(((top + y) * w + left) * 3, ((top + y) * w + left + columns) * 3);
    weightedRows(target, { vertical, horizontal }, columns, rowAt);
    return;
  }
  const line = new Float64Array(columns * c);
  let to = 0;
  let down = 0;
  for (let y = 0; y < height; y++) {
    line.fill(0);
    for (let tap = 0; tap < vertical.count[y]!; tap++) {
      const weight = vertical.weights[down++]!;
      let from = ((top + vertical.first[y]! + tap) * w + left) * c;
      for (let i = 0; i < line.length; i++) line[i] = line[i]! + weight * data[from++]!;
    }
    let right = 0;
    for (let x = 0; x < width; x++) {
      const count = horizontal.count[x]!;
      for (let channel = 0; channel < c; channel++) {
        let sum = 0.5;
        let from = horizontal.first[x]! * c + channel;
        for (let tap = 0; tap < count; tap++, from += c) sum += horizontal.weights[right + tap]! * line[from]!;
        target[to++] = sum < 0 ? 0 : sum > 255 ? 255 : sum | 0;
      }
      right += count;
    }
  }
}

/** Packs taps, given each sample's first pixel and the weights of this and the following pixels. */
function tapsFrom(samples: readonly (readonly [first: number, weights: readonly number[]])[]): Taps {
  return {
    first: Int32Array.from(samples, ([first]) => first),
    count: Int32Array.from(samples, ([, weights]) => weights.length),
    weights: Float64Array.from(samples.flatMap(([, weights]) => weights)),
  };
}

/**
 * Keys' cubic kernel with a = -0.5, tabulated at 1/1024 of a pixel as in TensorFlow; taps outside the image are left
 * out.
 */
function cubicTaps(size: number, from: number): Taps {
  const samples = Array.from({ length: size }, (_, i) => {
    const at = sampleAt(i, size, from);
    const floor = Math.floor(at);
    const share = Math.round((at - floor) * 1024) / 1024;
    const all = [1 + share, share, 1 - share, 2 - share].map(keys);
    const places = [floor - 1, floor, floor + 1, floor + 2];
    const inside = places.flatMap((place, tap) => (place >= 0 && place < from ? [[place, all[tap]!] as const] : []));
    const sum = inside.reduce((total, [, weight]) => total + weight, 0);
    return [inside[0]![0], inside.map(([, weight]) => weight / sum)] as const;
  });
  return tapsFrom(samples);
}

function keys(distance: number): number {
  const d = distance;
  return d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2;
}

/** The mean over the area of a sample; pixels at its edge are weighted by the covered part. */
function areaTaps(size: number, from: number): Taps {
  const scale = Math.fround(from / size);
  const samples = Array.from({ length: size }, (_, i) => {
    const [start, end] = [i * scale, Math.min((i + 1) * scale, from)];
    const first = Math.floor(start);
    const count = Math.max(1, Math.ceil(end - 1e-6) - first);
    const weights = Array.from({ length: count }, (_, tap) => {
      const pixel = first + tap;
      return (Math.min(pixel + 1, end) - Math.max(pixel, start)) / (end - start);
    });
    return [first, weights] as const;
  });
  return tapsFrom(samples);
}

/** Weights of a triangle over each sample's surroundings, at least one old pixel to each side: Pillow's `precompute_coeffs`. */
function triangleTaps(size: number, from: number): Taps {
  const scale = from / size;
  const reach = Math.max(scale, 1);
  const samples = Array.from({ length: size }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const end = Math.min(from, Math.trunc(center + reach + 0.5));
    const all = Array.from({ length: end - first }, (_each, tap) =>
      Math.max(0, 1 - Math.abs((first + tap - center + 0.5) / reach)),
    );
    const sum = all.reduce((total, weight) => total + weight, 0);
    return [first, all.map((weight) => weight / sum)] as const;
  });
  return tapsFrom(samples);
}

const tapsOfMode = { bicubic: cubicTaps, area: areaTaps, antialiased: triangleTaps } as const;
