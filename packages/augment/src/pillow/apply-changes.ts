import * as tf from "@tensorflow/tfjs-core";
import { choose, perImage } from "../augmentation.ts";
import { denseBincount } from "../tensorflow-ops.ts";
import { autoContrastLevels } from "./auto-contrast-table.ts";
import type { Change, PillowOp } from "./change.ts";
import { moveByChange } from "./fixed-point-affine.ts";

/** Whole numbers from 0 to 255: what Pillow's images hold. `[n, h, w, c] -> [n, h, w, c]` */
export function bytesOf(images: tf.Tensor4D): tf.Tensor4D {
  return tf.round(tf.clipByValue(images, 0, 255));
}

/**
 * Makes change number `chosen` (`[n]` int32) of `changes` to each image, to the bytes that Pillow computes. `images` are
 * whole numbers from 0 to 255, `[n, h, w, c] -> [n, h, w, c]`. Images that are not RGB are changed channel by channel,
 * as gray ones; color leaves them as they are. `fillValue` is the value of pixels from outside the image.
 */
export function applyChanges(
  images: tf.Tensor4D,
  changes: readonly Change[],
  chosen: tf.Tensor,
  fillValue = 0,
): tf.Tensor4D {
  return tf.tidy(() => {
    const has = (...ops: readonly PillowOp[]) => changes.some(({ op }) => ops.includes(op));
    const is = (...ops: readonly PillowOp[]) => {
      const flags = changes.map(({ op }) => (ops.includes(op) ? 1 : 0));
      return tf.greater(tf.gather(tf.tensor1d(flags), chosen), 0);
    };
    const factors = changes.map(({ op, magnitude }) => (isBlended(op) ? Math.fround(1 + magnitude) : 1));
    const factor = tf.gather(tf.tensor1d(factors), chosen);
    let changed = has(...levelOps)
      ? mapLevels(images, levelMaps(images, changes, chosen, { factor, is, has }))
      : images;
    if (has("color")) changed = choose(is("color"), saturatePillow(images, factor), changed);
    if (has("sharpness"))
      changed = choose(is("sharpness"), blendBytes(smooth(images), images, perImage(factor)), changed);
    if (has(...moves)) changed = choose(is(...moves), moveByChange(images, changes, chosen, fillValue), changed);
    return changed;
  });
}

const moves = ["shear-x", "shear-y", "translate-x", "translate-y", "rotate"] as const;
/** The ops that give each level of a channel a new one. */
const levelOps = ["brightness", "contrast", "posterize", "solarize", "invert", "auto-contrast", "equalize"] as const;

function isBlended(op: PillowOp): boolean {
  return ["brightness", "color", "contrast", "sharpness"].includes(op);
}

/**
 * Pillow's Image.blend in bytes: interpolates between `plain` (factor 0) and the image (1), extrapolates beyond, and drops what is
 * behind the point.
 */
export function blendBytes(plain: tf.Tensor, images: tf.Tensor, factor: tf.Tensor): tf.Tensor4D {
  return tf.floor(tf.clipByValue(tf.add(plain, tf.mul(factor, tf.sub(images, plain))), 0, 255)) as tf.Tensor4D;
}

/** Changes colors by a factor for each image (`[n]`), as Pillow's ImageEnhance.Color. */
export function saturatePillow(images: tf.Tensor4D, factor: tf.Tensor): tf.Tensor4D {
  return images.shape[3] === 3 ? blendBytes(lumaBytes(images), images, perImage(factor)) : images;
}

/** Pillow's conversion of RGB to "L". `[n, h, w, 3] -> [n, h, w, 1]` */
function lumaBytes(images: tf.Tensor4D): tf.Tensor4D {
  const weights = tf.tensor([19_595, 38_470, 7471], [1, 1, 1, 3]);
  const sum = tf.add(tf.sum(tf.mul(images, weights), 3, true), 32_768);
  return tf.floor(tf.div(sum, 65_536)) as tf.Tensor4D;
}

/** The value to which contrast 0 brings each channel, as Pillow rounds it. `[n, h, w, c] -> [n, c, 1]` */
export function meanLevels(images: tf.Tensor4D): tf.Tensor {
  const [n, h, w, c] = images.shape;
  const isColor = c === 3;
  const gray = isColor ? lumaBytes(images) : images;
  const sum = tf.sum(tf.cast(gray, "int32"), [1, 2]);
  const twice = tf.add(tf.mul(sum, tf.scalar(2, "int32")), tf.scalar(h * w, "int32"));
  const mean = tf.cast(tf.floorDiv(twice, tf.scalar(2 * h * w, "int32")), "float32");
  return tf.reshape(isColor ? tf.tile(mean, [1, 3]) : mean, [n, c, 1]);
}

/** Pillow's filter SMOOTH; the pixels of the edge stay as they are. */
function smooth(images: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  if (h < 3 || w < 3) return images;
  const part = (y: number, x: number) => tf.slice(images, [0, y, x, 0], [n, h - 2, w - 2, c]);
  // Sums of whole numbers, not a convolution: that may run in 16 bits.
  let sum: tf.Tensor = tf.mul(part(1, 1), 4);
  for (const y of [0, 1, 2]) for (const x of [0, 1, 2]) sum = tf.add(sum, part(y, x));
  const inner = tf.floor(tf.add(tf.div(sum, 13), 0.5));
  const side = (x: number) => tf.slice(images, [0, 1, x, 0], [n, h - 2, 1, c]);
  const row = (y: number) => tf.slice(images, [0, y, 0, 0], [n, 1, w, c]);
  const middle = tf.concat([side(0), inner, side(w - 1)], 2);
  return tf.concat([row(0), middle, row(h - 1)], 1) as tf.Tensor4D;
}

interface Chosen {
  /** The factor of each image, `[n]`. */
  readonly factor: tf.Tensor;
  /** Which images have one of these ops, `[n]`. */
  readonly is: (...ops: readonly PillowOp[]) => tf.Tensor;
  /** Whether an image may have one of these ops. */
  readonly has: (...ops: readonly PillowOp[]) => boolean;
}

/** The new value of each level in each channel, `[n, c, 256]`. */
function levelMaps(
  images: tf.Tensor4D,
  changes: readonly Change[],
  chosen: tf.Tensor,
  { factor, is, has }: Chosen,
): tf.Tensor {
  const [n, h, w, c] = images.shape;
  const each = (values: readonly number[]) => tf.reshape(tf.gather(tf.tensor1d([...values]), chosen), [n, 1, 1]);
  const levels = tf.reshape(tf.range(0, 256, 1, "float32"), [1, 1, 256]);
  const kept = tf.add(tf.zeros([n, c, 256]), levels);
  const factors = tf.reshape(factor, [n, 1, 1]);
  const ofRows = (values: tf.Tensor) => tf.reshape(values, [n, c, 256]);
  const makers: readonly [ops: readonly PillowOp[], make: () => tf.Tensor][] = [
    [["brightness"], () => blendBytes(tf.zerosLike(kept), kept, factors)],
    [["contrast"], () => blendBytes(meanLevels(images), kept, factors)],
    [
      ["posterize"],
      () => {
        const step = each(changes.map(({ op, magnitude }) => (op === "posterize" ? 2 ** (8 - magnitude) : 1)));
        return tf.mul(tf.floor(tf.div(kept, step)), step);
      },
    ],
    [
      ["solarize", "invert"],
      () => {
        const threshold = each(changes.map(({ op, magnitude }) => (op === "solarize" ? magnitude : 0)));
        return tf.where(tf.greaterEqual(kept, threshold), tf.sub(255, kept), kept);
      },
    ],
    [
      ["auto-contrast"],
      () => {
        const extreme = (value: tf.Tensor) => tf.reshape(value, [n * c, 1]);
        const [low, high] = [extreme(tf.min(images, [1, 2])), extreme(tf.max(images, [1, 2]))];
        return ofRows(autoContrastLevels(tf.reshape(levels, [1, 256]), low, high));
      },
    ],
    [["equalize"], () => ofRows(equalLevels(tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [n * c, h * w])))],
  ];
  return makers.reduce((maps, [ops, make]) => {
    if (!has(...ops)) return maps;
    return tf.where(tf.reshape(is(...ops), [n, 1, 1]), make(), maps);
  }, kept);
}

/** Pillow's table that makes the levels of each row about equally frequent, `[rows, pixels] -> [rows, 256]`. */
function equalLevels(rows: tf.Tensor2D | tf.Tensor): tf.Tensor {
  const pixels = rows.shape[1]!;
  const counts = tf.cast(denseBincount(tf.cast(rows, "int32") as tf.Tensor2D, 256), "float32");
  const ofMost = tf.sum(tf.cast(tf.equal(rows, tf.max(rows, 1, true)), "float32"), 1, true);
  const step = tf.floor(tf.div(tf.sub(pixels, ofMost), 255));
  const below = tf.sub(tf.cumsum(counts, 1), counts);
  const level = tf.floor(tf.div(tf.add(below, tf.floor(tf.div(step, 2))), tf.maximum(step, 1)));
  const kept = tf.add(tf.zerosLike(level), tf.reshape(tf.range(0, 256, 1, "float32"), [1, 256]));
  return tf.where(tf.greater(tf.add(tf.zerosLike(level), step), 0), tf.clipByValue(level, 0, 255), kept);
}

/** Replaces each pixel by the value of its level, `[n, h, w, c], [n, c, 256] -> [n, h, w, c]`. */
function mapLevels(images: tf.Tensor4D, maps: tf.Tensor): tf.Tensor4D {
  const [n, , , c] = images.shape;
  const starts = tf.reshape(tf.range(0, n * c * 256, 256, "int32"), [n, 1, 1, c]);
  const places = tf.add(tf.cast(images, "int32"), starts);
  const found = tf.gather(tf.reshape(maps, [n * c * 256]), tf.cast(tf.reshape(places, [images.size]), "int32"));
  return tf.reshape(found, images.shape);
}
