import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import { sliced } from "./shapes.ts";
import type { Values } from "./values.ts";

/** Pools that tfjs lacks: dilated windows, pads at one side, volumes. One axis after the other, channels last. */
export const windows: Operations = {
  poolwindows: [
    "x pool_size strides dilation_rate padding mode ceil_mode count_include_pad power",
    (v) => {
      const x = v.tensor("x");
      const mode = v.word("mode", "max");
      const power = v.number("power", 2);
      const given = mode === "power" ? tf.pow(tf.abs(x), power) : x;
      const y = alongAxes(v, given, mode === "max");
      return mode === "power" ? tf.pow(y.tensor, 1 / power) : mode === "max" ? y.tensor : tf.div(y.tensor, y.counts);
    },
  ],
  // Mean 0 and standard deviation 1 over the axes.
  standardize: [
    "x axis epsilon",
    (v) => {
      const x = v.tensor("x");
      const { mean, variance } = tf.moments(x, v.axes("axis", x.rank), true);
      return tf.div(tf.sub(x, mean), tf.add(tf.sqrt(variance), v.number("epsilon", 1e-9)));
    },
  ],
};

/** The sum or maximum of each window, and how many elements each sum counts. */
function alongAxes(v: Values, x: tf.Tensor, isMax: boolean): { tensor: tf.Tensor; counts: tf.Tensor } {
  const [kernel, strides, rates] = [v.numbers("pool_size")!, v.numbers("strides")!, v.numbers("dilation_rate")!];
  const pads = v.get("padding") as readonly (readonly [number, number])[];
  let tensor = x;
  let counts: tf.Tensor = tf.scalar(1);
  for (const [index, size] of kernel.entries()) {
    const axis = index + 1;
    const own = { size, stride: strides[index]!, rate: rates[index]!, pads: pads[index]! };
    const length = x.shape[axis]!;
    const count = windowCount(length, own, v.flag("ceil_mode"));
    const [before, after] = own.pads;
    const reach = (size - 1) * own.rate + 1;
    const behind = Math.max(after, (count - 1) * own.stride + reach - length - before);
    const sides = x.shape.map((_, at): [number, number] => (at === axis ? [before, behind] : [0, 0]));
    // The lowest float32: a window of padding alone has no other maximum.
    const wide = before + behind === 0 ? tensor : tf.pad(tensor, sides, isMax ? -3.4028234663852886e38 : 0);
    const taps = Array.from({ length: size }, (_, tap) => {
      const start = tap * own.rate;
      return sliced(wide, axis, { start, stop: start + (count - 1) * own.stride + 1, step: own.stride });
    });
    tensor = taps.reduce((all, part) => (isMax ? tf.maximum(all, part) : tf.add(all, part)));
    const [low, high] = v.flag("count_include_pad") ? [-before, length + after] : [0, length];
    const inside = Array.from({ length: count }, (_, out) => {
      const places = Array.from({ length: size }, (__, tap) => out * own.stride - before + tap * own.rate);
      return places.filter((place) => place >= low && place < high).length;
    });
    counts = tf.mul(
      counts,
      tf.reshape(
        tf.tensor1d(inside, "float32"),
        x.shape.map((_, at) => (at === axis ? count : 1)),
      ),
    );
  }
  return { tensor, counts };
}

interface Window {
  readonly size: number;
  readonly stride: number;
  readonly rate: number;
  readonly pads: readonly [number, number];
}

function windowCount(length: number, { size, stride, rate, pads: [before, after] }: Window, isCeil: boolean): number {
  const room = length + before + after - (size - 1) * rate - 1;
  const count = (isCeil ? Math.ceil : Math.floor)(room / stride) + 1;
  // A window that begins behind the map is left out.
  return isCeil && (count - 1) * stride >= length + before ? count - 1 : count;
}
