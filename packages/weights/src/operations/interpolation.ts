import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import type { Values } from "./values.ts";

/** ONNX' Resize of maps and volumes, channels last, one axis after the other. Source: onnx/docs/Operators.md, Resize. */
export const interpolations: Operations = {
  interpolate: [
    "x sizes scales mode coordinates rounding cubic excludes_outside",
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
  for (let out = 0; out < target; out++) {
    const place = placeOf(v.word("coordinates", "half_pixel"), { out, size, target, scale });
    const taps =
      mode === "nearest"
        ? [[nearest(place, v.word("rounding", "round_prefer_floor")), 1] as const]
        : tapsOf(mode, place, v.number("cubic", -0.75));
    const inside = v.flag("excludes_outside") && mode === "cubic" ? taps.filter(([at]) => at >= 0 && at < size) : taps;
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

/** Where an output pixel lies in the input. */
function placeOf(coordinates: string, { out, size, target, scale }: Place): number {
  switch (coordinates) {
    case "half_pixel":
      return (out + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return target > 1 ? (out + 0.5) / scale - 0.5 : 0;
    case "half_pixel_symmetric": {
      const offset = (size / 2) * (1 - target / (scale * size));
      return offset + (out + 0.5) / scale - 0.5;
    }
    case "align_corners":
      return target > 1 ? (out * (size - 1)) / (target - 1) : 0;
    case "asymmetric":
      return out / scale;
    default:
      throw new OptionError(`expected a known way to place pixels, got ${coordinates}`);
  }
}

function nearest(place: number, rounding: string): number {
  if (rounding === "floor") return Math.floor(place);
  if (rounding === "ceil") return Math.ceil(place);
  return rounding === "round_prefer_ceil" ? Math.floor(place + 0.5) : Math.ceil(place - 0.5);
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
  const near = (t: number): number => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number): number => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return [
    [first - 1, far(past + 1)],
    [first, near(past)],
    [first + 1, near(1 - past)],
    [first + 2, far(2 - past)],
  ];
}
