import * as tf from "@tensorflow/tfjs-core";
import type { AffineOptions, FillMode } from "./affine.ts";

/**
 * TensorFlow's ImageProjectiveTransformV3 from ops that every backend has, `[n, h, w, c] x [n, 8] -> [n, h, w, c]`.
 * (tf.image.transform goes wrong: its cpu kernel mixes up height and width, its wasm kernel "reflect".)
 */
export function sampleThrough(
  images: tf.Tensor4D,
  matrices: tf.Tensor2D,
  { fill, fillValue, interpolation }: { [Key in keyof AffineOptions]-?: NonNullable<AffineOptions[Key]> },
): tf.Tensor4D {
  const [n, h, w, c] = images.shape;
  const at = tf.range(0, h * w, 1, "float32");
  const y = tf.reshape(tf.floor(tf.div(at, w)), [1, h * w]);
  const x = tf.sub(tf.reshape(at, [1, h * w]), tf.mul(y, w));
  const entries = tf.split(matrices, 8, 1);
  const across = (a: number) => tf.add(tf.add(tf.mul(entries[a]!, x), tf.mul(entries[a + 1]!, y)), entries[a + 2]!);
  const depth = tf.add(tf.add(tf.mul(entries[6]!, x), tf.mul(entries[7]!, y)), 1);
  const column = inside(tf.div(across(0), depth), w, fill);
  const row = inside(tf.div(across(3), depth), h, fill);

  const flat = tf.reshape(images, [n * h * w, c]);
  const first = tf.mul(tf.reshape(tf.range(0, n, 1, "float32"), [n, 1]), h * w);
  const read = (ys: tf.Tensor, xs: tf.Tensor) => {
    const [cy, cx] = [tf.clipByValue(ys, 0, h - 1), tf.clipByValue(xs, 0, w - 1)];
    const places = tf.cast(tf.reshape(tf.add(tf.add(first, tf.mul(cy, w)), cx), [n * h * w]), "int32");
    const pixels = tf.gather(flat, places);
    if (fill !== "constant") return pixels;
    const there = tf.reshape(tf.logicalAnd(tf.equal(cy, ys), tf.equal(cx, xs)), [n * h * w, 1]);
    return tf.where(there, pixels, tf.mul(tf.onesLike(pixels), fillValue));
  };
  // Half away from zero, as C++ rounds.
  const round = (value: tf.Tensor) => tf.mul(tf.sign(value), tf.floor(tf.add(tf.abs(value), 0.5)));
  if (interpolation === "nearest") return tf.reshape(read(round(row), round(column)), images.shape);
  const [top, left] = [tf.floor(row), tf.floor(column)];
  const [bottom, right] = [tf.add(top, 1), tf.add(left, 1)];
  const share = (value: tf.Tensor, floor: tf.Tensor) => tf.reshape(tf.sub(value, floor), [n * h * w, 1]);
  const blend = (a: tf.Tensor, b: tf.Tensor, part: tf.Tensor) => tf.add(a, tf.mul(tf.sub(b, a), part));
  const toRight = share(column, left);
  const above = blend(read(top, left), read(top, right), toRight);
  const below = blend(read(bottom, left), read(bottom, right), toRight);
  return tf.reshape(blend(above, below, share(row, top)), images.shape);
}

/** Coordinates brought into an image of `size` as TensorFlow's MapCoordinate does; `constant` leaves them. */
function inside(coordinates: tf.Tensor, size: number, fill: FillMode): tf.Tensor {
  if (fill === "constant") return coordinates;
  const last = size - 1;
  if (last === 0) return tf.zerosLike(coordinates);
  let mapped = coordinates;
  if (fill === "reflect") {
    const turn = 2 * size;
    const phase = tf.sub(coordinates, tf.mul(tf.floor(tf.div(coordinates, turn)), turn));
    mapped = tf.where(tf.greaterEqual(phase, size), tf.sub(turn - 1, phase), phase);
  }
  if (fill === "wrap") {
    const up = tf.add(coordinates, tf.mul(tf.add(tf.floor(tf.div(tf.neg(coordinates), last)), 1), size));
    const down = tf.sub(coordinates, tf.mul(tf.floor(tf.div(coordinates, last)), size));
    mapped = tf.where(tf.less(coordinates, 0), up, tf.where(tf.greater(coordinates, last), down, coordinates));
  }
  return tf.clipByValue(mapped, 0, last);
}
