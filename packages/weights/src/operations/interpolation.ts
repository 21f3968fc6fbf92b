import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import type { Values } from "./values.ts";

/** ONNX' Resize of maps and volumes, channels last, one axis after the other. Source: onnx/docs/Operators.md, Resize. */
export const interpolations: Operations = {
  interpolate: [
    "x sizes scales mode coordinates rounding cubic excludes_outside antialias",
    (v) => {
      const x = v.tensor("x");
      const scales = v.numbers("scales");
      const own = v.numbers("sizes");
      return x.shape.slice(1, -1).reduce((y: tf.Tensor, size, index) => {
        const target = own?.[index] ?? Math.floor(size * scales![index]! + 1e-6);
        const scale = scales?.[index] ?? target / size;
        return size === target && scale === 1 ? y : alongAxis(y, index + 1, matrixOf(v, size, target, scale));
      }, x);
    },
  ],
};

/** Multiplies one axis by a matrix, `[target, size]`. */
function alongAxis(x: tf.Tensor, axis: number, matrix: tf.Tensor2D): tf.Tensor {
  const order = [...x.shape.keys()].filter((other) => other !== axis);
  const last = tf.transpose(x, [...order, axis]);
  const rows = tf.matMul(tf.reshape(last, [-1, x.shape[axis]!]), matrix, false, true);
  const back = x.shape.map((_, place) => (place === axis ? x.rank - 1 : place > axis ? place - 1 : place));
  return tf.transpose(tf.reshape(rows, [...last.shape.slice(0, -1), matrix.shape[0]]), back);
}

/** The share of each input pixel in each output pixel. */
function matrixOf(v: Values, size: number, target: number, scale: number): tf.Tensor2D {
  const values = new Float32Array(size * target);
  const mode = v.word("mode", "linear");
  // Without this, pixels between the taps of a smaller image would count for nothing.
  const smooths = v.flag("antialias") && mode !== "nearest" && scale < 1;
  for (let out = 0; out < target; out++) {
    const place = placeOf(v.word("coordinates", "half_pixel"), { out, size, target, scale });
    const taps =
      mode === "nearest"
        ? [[nearest(place, v.word("rounding", "round_prefer_floor")), 1] as const]
        : smooths
          ? wideTapsOf(mode, place, v.number("cubic", -0.75), scale)
          : tapsOf(mode, place, v.number("cubic", -0.75));
    const excludes = v.flag("excludes_outside") && (smooths || mode === "cubic");
    const inside = excludes ? taps.filter(([at]) => at >= 0 && at < size) : taps;
    const sum = inside.reduce((total, [, share]) => total + share, 0);
    for (const [at, share] of inside) values[out * size + Math.min(Math.max(at, 0), size - 1)]! += share / sum;
  }
  return tf.tensor2d(values, [target, size]);
}

interface Place {
  readonly out: number;
  readonly size: number;
  readonly target: number;
  readonly scale: number;
}

/** Where an output pixel lies in the input. Float32 as in ONNX Runtime, so that ties round to the same pixel. */
function placeOf(coordinates: string, { out, size, target, scale }: Place): number {
  const f = Math.fround;
  const half = f(f(f(out + 0.5) / f(scale)) - 0.5);
  switch (coordinates) {
    case "half_pixel":
      return half;
    case "pytorch_half_pixel":
      return target > 1 ? half : 0;
    case "half_pixel_symmetric": {
      const adjusted = f(target / f(f(scale) * size));
      const offset = f((size / 2) * f(1 - adjusted));
      return f(f(offset + f(f(out + 0.5) / f(scale))) - 0.5);
    }
    case "align_corners":
      return target > 1 ? f(f(out * (size - 1)) / (target - 1)) : 0;
    case "asymmetric":
      return f(out / f(scale));
    default:
      throw new OptionError(`expected a known way to place pixels, got ${coordinates}`);
  }
}

/** ONNX Runtime (1.31) counts a place up to 1e-6 below a tie as a tie where it rounds up. */
function nearest(place: number, rounding: string): number {
  if (rounding === "floor") return Math.floor(place);
  if (rounding === "ceil") return Math.ceil(place);
  return rounding === "round_prefer_ceil" ? Math.floor(place + 1e-6 + 0.5) : Math.ceil(place - 0.5);
}

/** The pixels around a place, and their shares. */
function tapsOf(mode: string, place: number, a: number): (readonly [at: number, share: number])[] {
  const first = Math.floor(place);
  const past = place - first;
  if (mode === "linear")
    return [
      [first, 1 - past],
      [first + 1, past],
    ];
  if (mode !== "cubic") throw new OptionError(`expected nearest, linear or cubic, got ${mode}`);
  return [-1, 0, 1, 2].map((step) => [first + step, cubicShare(past - step, a)]);
}

/** The taps of a smaller image with antialiasing: the filter is as wide as a pixel of the output. */
function wideTapsOf(mode: string, place: number, a: number, scale: number): (readonly [at: number, share: number])[] {
  const reach = (mode === "cubic" ? 2 : 1) / scale;
  const first = Math.ceil(place - reach);
  return Array.from({ length: Math.floor(place + reach) - first + 1 }, (_, step) => {
    const distance = (first + step - place) * scale;
    return [first + step, mode === "cubic" ? cubicShare(distance, a) : Math.max(0, 1 - Math.abs(distance))];
  });
}

/** Source: Keys 1981, Cubic convolution interpolation for digital image processing. */
function cubicShare(distance: number, a: number): number {
  const t = Math.abs(distance);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}
