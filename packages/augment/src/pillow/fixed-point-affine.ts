import * as tf from "@tensorflow/tfjs-core";
import { pixelReader } from "../geometry/projective-sampling.ts";
import type { Change } from "./change.ts";

/** `[a0, a1, a2, a3, a4, a5]`: output pixel (x, y) is input pixel (a0 x + a1 y + a2, a3 x + a4 y + a5). */
type Matrix = readonly [number, number, number, number, number, number];

const scale = 65_536;

/**
 * Moves pixels as Pillow's nearest transform does, in numbers with 16 bits behind the point (`affine_fixed` of
 * Geometry.c). `[n, h, w, c] -> [n, h, w, c]`; `chosen` (`[n]` int32) is each image's index in `changes`.
 */
export function moveByChange(
  images: tf.Tensor4D,
  changes: readonly Change[],
  chosen: tf.Tensor,
  fillValue: number,
): tf.Tensor4D {
  const [n, h, w] = images.shape;
  const rows = changes.map((change) => fixedPoint(matrixOf(change, [h, w])));
  const entries = tf.split(tf.gather(tf.tensor2d(rows, undefined, "int32"), chosen), 6, 1);
  const at = (entry: number) => tf.reshape(entries[entry]!, [n, 1, 1]);
  const x = tf.reshape(tf.range(0, w, 1, "int32"), [1, 1, w]);
  const y = tf.reshape(tf.range(0, h, 1, "int32"), [1, h, 1]);
  const place = (first: number) => {
    const exact = tf.add(tf.add(tf.mul(at(first), x), tf.mul(at(first + 1), y)), at(first + 2));
    return tf.cast(tf.floorDiv(exact, tf.scalar(scale, "int32")), "float32");
  };
  return pixelReader(images, { fill: "constant", fillValue, interpolation: "nearest" })(place(3), place(0));
}

/** The matrix that torchvision gives to Pillow: shears about the upper left corner, rotations about the center. */
function matrixOf({ op, magnitude }: Change, [h, w]: readonly [number, number]): Matrix {
  if (op === "shear-x") return [1, magnitude, 0, 0, 1, 0];
  if (op === "shear-y") return [1, 0, 0, magnitude, 1, 0];
  if (op === "translate-x") return [1, 0, -Math.trunc(magnitude), 0, 1, 0];
  if (op === "translate-y") return [1, 0, 0, 0, 1, -Math.trunc(magnitude)];
  if (op !== "rotate") return [1, 0, 0, 0, 1, 0];
  const angle = (-magnitude * Math.PI) / 180;
  const round = (value: number) => Math.round(value * 1e15) / 1e15;
  const [cos, sin] = [round(Math.cos(angle)), round(Math.sin(angle))];
  const [cx, cy] = [w / 2, h / 2];
  return [cos, sin, cx - cos * cx - sin * cy, -sin, cos, cy + sin * cx - cos * cy];
}

/** The same matrix for pixel centers, times 65,536. */
function fixedPoint([a0, a1, a2, a3, a4, a5]: Matrix): number[] {
  const centered = [a0, a1, a2 + a0 * 0.5 + a1 * 0.5, a3, a4, a5 + a3 * 0.5 + a4 * 0.5];
  return centered.map((value) => Math.floor(value * scale + 0.5));
}
