import * as tf from "@tensorflow/tfjs-core";
import { DataError } from "../data-error.ts";
import { rotate, translate, zoom } from "./affine.ts";
import type { AffineOptions } from "./affine.ts";
import { choose, factorRange, tidied } from "./augmentation.ts";
import type { Augmentation, Factor } from "./augmentation.ts";

const flipModes = ["horizontal", "vertical", "both"] as const;

export type FlipMode = (typeof flipModes)[number];

/**
 * Mirrors half of the images: left and right, or top and bottom, or each by its own chance. Keras' RandomFlip. Throws a `DataError`
 * for a mode that is none.
 */
export function randomFlip(mode: FlipMode = "horizontal"): Augmentation {
  if (!flipModes.includes(mode)) {
    throw new DataError(`A flip should be one of ${flipModes.join(", ")}, not ${JSON.stringify(mode)}`);
  }
  return tidied((images, random) => {
    const half = () => tf.lessEqual(random.uniform([images.shape[0]], 0, 1), 0.5);
    const across = mode === "vertical" ? images : choose(half(), tf.reverse(images, 2), images);
    return mode === "horizontal" ? across : choose(half(), tf.reverse(across, 1), across);
  });
}

/** Turns each image by a part of a full turn: `0.1` is up to 36 degrees either way. Keras' RandomRotation. */
export function randomRotation(factor: Factor, options?: AffineOptions): Augmentation {
  const [from, to] = factorRange("The rotation", factor, [-1, 1]);
  return tidied((images, random) => rotate(images, random.uniform([images.shape[0]], from, to), options));
}

export interface ZoomOptions extends AffineOptions {
  /** Zooms the width by its own chance; without it, with the height. */
  width?: Factor | undefined;
}

/** Zooms each image: `0.2` shows from 80 to 120 % of its height and width, `[-0.3, 0]` only nearer. Keras' RandomZoom. */
export function randomZoom(height: Factor, { width, ...options }: ZoomOptions = {}): Augmentation {
  const rows = factorRange("The zoom", height, [-0.999, 1]);
  const columns = width === undefined ? undefined : factorRange("The zoom", width, [-0.999, 1]);
  return tidied((images, random) => {
    const draw = ([from, to]: readonly [number, number]) => random.uniform([images.shape[0]], 1 + from, 1 + to);
    const vertical = draw(rows);
    return zoom(images, vertical, columns === undefined ? vertical : draw(columns), options);
  });
}

/** Shifts each image by shares of its height and width. Keras' RandomTranslation. */
export function randomTranslation(height: Factor, width: Factor = height, options?: AffineOptions): Augmentation {
  const [down, right] = [
    factorRange("The translation", height, [-1, 1]),
    factorRange("The translation", width, [-1, 1]),
  ];
  return tidied((images, random) => {
    const draw = ([from, to]: readonly [number, number]) => random.uniform([images.shape[0]], from, to);
    return translate(images, draw(down), draw(right), options);
  });
}

export interface CropOptions {
  /** Pixels put around the image first, with `fillValue`; 4 is the CIFAR papers'. */
  pad?: number | undefined;
  fillValue?: number | undefined;
}

/**
 * Cuts a piece of `height` x `width` from anywhere in each image, `[n, h, w, c] -> [n, height, width, c]`; each image draws
 * its own place (Keras' RandomCrop: one for the batch).
 */
export function randomCrop(height: number, width: number, { pad = 0, fillValue = 0 }: CropOptions = {}): Augmentation {
  return tidied((images, random) => {
    const [n, h, w, c] = images.shape;
    const [rows, columns] = [h + 2 * pad - height, w + 2 * pad - width];
    if (rows < 0 || columns < 0) {
      throw new DataError(
        `A crop of ${height}x${width} does not fit in images of ${h}x${w}${pad > 0 ? ` padded by ${pad}` : ""}`,
      );
    }
    const padded =
      pad === 0
        ? images
        : tf.pad(
            images,
            [
              [0, 0],
              [pad, pad],
              [pad, pad],
              [0, 0],
            ],
            fillValue,
          );
    const place = (free: number) => tf.cast(tf.minimum(tf.floor(random.uniform([n, 1], 0, free + 1)), free), "int32");
    const [top, left] = [place(rows), place(columns)];
    // Pixel (y, x) of image i is row (i * H + y) * W + x of the flat list.
    const [padHeight, padWidth] = [h + 2 * pad, w + 2 * pad];
    const images0 = tf.mul(tf.reshape(tf.range(0, n, 1, "int32"), [n, 1]), tf.scalar(padHeight, "int32"));
    const ys = tf.add(tf.add(images0, top), tf.reshape(tf.range(0, height, 1, "int32"), [1, height]));
    const xs = tf.add(left, tf.reshape(tf.range(0, width, 1, "int32"), [1, width]));
    const flat = tf.add(
      tf.mul(tf.reshape(ys, [n, height, 1]), tf.scalar(padWidth, "int32")),
      tf.reshape(xs, [n, 1, width]),
    );
    const pixels = tf.reshape(padded, [n * padHeight * padWidth, c]);
    return tf.reshape(tf.gather(pixels, tf.cast(tf.reshape(flat, [n * height * width]), "int32")), [
      n,
      height,
      width,
      c,
    ]);
  });
}
