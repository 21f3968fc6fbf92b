import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { choose, factorRange, tidied } from "../augmentation.ts";
import type { Augmentation, Factor } from "../augmentation.ts";
import { rotate, translate, zoom } from "./affine.ts";
import { affineOptionNames, checkWord, samplingOf } from "./affine-options.ts";
import type { AffineOptions } from "./affine-options.ts";

export const flipModes = ["horizontal", "vertical", "both"] as const;

export type FlipMode = (typeof flipModes)[number];

/**
 * Mirrors each image with probability 1/2: left and right ("horizontal"), top and bottom ("vertical"), or both
 * independently ("both"). Throws an OptionError for an unknown mode.
 */
export function randomFlip(mode: FlipMode = "horizontal"): Augmentation {
  checkWord("randomFlip", "mode", mode, flipModes);
  return tidied((images, random) => {
    const half = () => tf.lessEqual(random.uniform([images.shape[0]], 0, 1), 0.5);
    const across = mode === "vertical" ? images : choose(half(), tf.reverse(images, 2), images);
    return mode === "horizontal" ? across : choose(half(), tf.reverse(across, 1), across);
  });
}

/**
 * Rotates each image by a random part of a full turn; `0.1` is up to 36 degrees in either direction. Keras'
 * RandomRotation.
 */
export function randomRotation(factor: Factor, options?: AffineOptions): Augmentation {
  const [from, to] = factorRange("randomRotation", factor, [-1, 1]);
  samplingOf("randomRotation", options);
  return tidied((images, random) => rotate(images, random.uniform([images.shape[0]], from, to), options));
}

export interface ZoomOptions extends AffineOptions {
  /** The range of the width's zoom; by default the width has the height's zoom. */
  readonly width?: Factor | undefined;
}

/**
 * Zooms each image: `0.2` shows from 80 to 120 % of its height and width, `[-0.3, 0]` from 70 to 100 %, which only
 * enlarges. Keras' RandomZoom.
 */
export function randomZoom(height: Factor, options: ZoomOptions = {}): Augmentation {
  checkOptions("randomZoom", options, { ...affineOptionNames, width: true });
  const { width, ...affine } = options;
  samplingOf("randomZoom", affine);
  const rows = factorRange("randomZoom height", height, [-0.999, 1]);
  const columns = width === undefined ? undefined : factorRange("randomZoom width", width, [-0.999, 1]);
  return tidied((images, random) => {
    const draw = ([from, to]: readonly [number, number]) => random.uniform([images.shape[0]], 1 + from, 1 + to);
    const vertical = draw(rows);
    return zoom(images, vertical, columns === undefined ? vertical : draw(columns), affine);
  });
}

/**
 * Shifts each image by random shares of its height and width, `0.1` by up to a tenth in either direction. Keras'
 * RandomTranslation.
 */
export function randomTranslation(height: Factor, width: Factor = height, options?: AffineOptions): Augmentation {
  const rows = factorRange("randomTranslation height", height, [-1, 1]);
  const columns = factorRange("randomTranslation width", width, [-1, 1]);
  samplingOf("randomTranslation", options);
  return tidied((images, random) => {
    const draw = ([from, to]: readonly [number, number]) => random.uniform([images.shape[0]], from, to);
    return translate(images, draw(rows), draw(columns), options);
  });
}

export interface CropOptions {
  /** Pixels that are first added on each side; the papers on CIFAR add 4. 0 by default. */
  readonly pad?: number | undefined;
  /** The value of the added pixels; 0 by default. */
  readonly fillValue?: number | undefined;
}

/**
 * Cuts a window of `height` x `width` out of each image, `[n, h, w, c] -> [n, height, width, c]`. The position is drawn
 * for each image; Keras' RandomCrop draws one for the batch. Throws an OptionError if the window is larger than the
 * padded image.
 */
export function randomCrop(height: number, width: number, options: CropOptions = {}): Augmentation {
  checkOptions("randomCrop", options, { pad: true, fillValue: true });
  const { pad = 0, fillValue = 0 } = options;
  for (const [name, value, least] of [
    ["height", height, 1],
    ["width", width, 1],
    ["pad", pad, 0],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new OptionError(`randomCrop: expected a whole number from ${least} as ${name}, got ${shown(value)}.`);
  }
  return tidied((images, random) => cutWindows(padded(images, pad, fillValue), [height, width], pad, random.uniform));
}

function padded(images: tf.Tensor4D, pad: number, fillValue: number): tf.Tensor4D {
  if (pad === 0) return images;
  const sides: [number, number][] = [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
  return tf.pad(images, sides, fillValue);
}

/** Cuts a window out of each image at a position drawn with `uniform`; `pad` is only for the message. */
function cutWindows(
  images: tf.Tensor4D,
  [height, width]: readonly [number, number],
  pad: number,
  uniform: (shape: number[], min: number, max: number) => tf.Tensor,
): tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  const [rows, columns] = [h - height, w - width];
  if (rows < 0 || columns < 0) {
    throw new OptionError(
      `randomCrop: expected images of at least ${height}x${width}, got ${h - 2 * pad}x${w - 2 * pad}` +
        `${pad > 0 ? ` padded by ${pad}` : ""}.`,
    );
  }
  // `uniform` may round up to its bound: without `minimum` the window could begin one pixel too far.
  const place = (free: number) => tf.cast(tf.minimum(tf.floor(uniform([n, 1], 0, free + 1)), free), "int32");
  const [top, left] = [place(rows), place(columns)];
  // Pixel (y, x) of image i is row (i * h + y) * w + x of the list of all pixels.
  const firstRows = tf.mul(tf.reshape(tf.range(0, n, 1, "int32"), [n, 1]), tf.scalar(h, "int32"));
  const ys = tf.add(tf.add(firstRows, top), tf.reshape(tf.range(0, height, 1, "int32"), [1, height]));
  const xs = tf.add(left, tf.reshape(tf.range(0, width, 1, "int32"), [1, width]));
  const places = tf.add(tf.mul(tf.reshape(ys, [n, height, 1]), tf.scalar(w, "int32")), tf.reshape(xs, [n, 1, width]));
  const pixels = tf.gather(
    tf.reshape(images, [n * h * w, c]),
    tf.cast(tf.reshape(places, [n * height * width]), "int32"),
  );
  return tf.reshape(pixels, [n, height, width, c]);
}
