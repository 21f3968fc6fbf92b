import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { resample } from "./images.ts";
import type { Operations } from "./operation.ts";
import { along, repeated } from "./along.ts";
import { channelsLast } from "./values.ts";
import type { Values } from "./values.ts";

/** One pair of numbers for each of the axes between batch and channels. */
function pairs(v: Values, name: string, rank: number): [number, number][] {
  const value = v.get(name);
  const list = Array.isArray(value) ? value : Array.from({ length: rank - 2 }, () => value);
  const sides = list.map((side: unknown): [number, number] => {
    const two = [side].flat() as number[];
    return [two[0]!, two[1] ?? two[0]!];
  });
  if (rank === 3 && Array.isArray(value) && value.every((side) => typeof side === "number"))
    return [[Number(value[0]), Number(value[1])]];
  if (sides.length !== rank - 2)
    throw new OptionError(`expected ${rank - 2} pairs as its ${name}, got ${shown(value)}`);
  return sides;
}

/** Keras' layers without weights, over sequences, feature maps and volumes, channels last. */
export const sequences: Operations = {
  zeropadding: [
    "x padding",
    (v) => {
      const x = v.tensor("x");
      return tf.pad(x, [[0, 0], ...pairs(v, "padding", x.rank), [0, 0]]);
    },
  ],
  cropping: [
    "x cropping",
    (v) => {
      const x = v.tensor("x");
      return pairs(v, "cropping", x.rank).reduce(
        (y, [before, after], i) => along(y, i + 1, before, y.shape[i + 1]! - before - after),
        x,
      );
    },
  ],
  upsampling: [
    "x size interpolation",
    (v) => {
      const x = v.tensor("x");
      const sizes = v.numbers("size") ?? [2];
      const factors = x.shape.slice(1, -1).map((_, i) => sizes[i] ?? sizes[0]!);
      const interpolation = v.word("interpolation", "nearest");
      if (interpolation === "nearest") return factors.reduce((y, times, i) => repeated(y, times, i + 1), x);
      return resample(x as tf.Tensor4D, [x.shape[1]! * factors[0]!, x.shape[2]! * factors[1]!], interpolation);
    },
  ],
  globalpool: [
    "x kind keepdims",
    (v) => {
      const x = v.tensor("x");
      const axes = x.shape.map((_, axis) => axis).slice(1, -1);
      const run = v.word("kind", "avg") === "avg" ? tf.mean : tf.max;
      return run(x, axes, v.flag("keepdims"));
    },
  ],
  adaptiveaveragepool: ["inputs output_size data_format", (v) => adaptivePool(v, "inputs", "avg")],
  adaptivemaxpool: ["inputs output_size data_format", (v) => adaptivePool(v, "inputs", "max")],
  adaptivepool: ["x kind output_size", (v) => adaptivePool(v, "x", v.word("kind", "avg"))],
};

/** Part i of n is floor(i size / n) to ceil((i + 1) size / n), as in PyTorch and Keras. */
function adaptivePool(v: Values, name: string, kind: string): tf.Tensor {
  channelsLast(v);
  const x = v.tensor(name);
  const sizes = v.numbers("output_size")!;
  const run = kind === "avg" ? tf.mean : tf.max;
  return x.shape.slice(1, -1).reduce((y: tf.Tensor, size, i) => {
    const parts = sizes[i] ?? sizes[0]!;
    const pieces = Array.from({ length: parts }, (_, part) => {
      const [start, end] = [Math.floor((part * size) / parts), Math.ceil(((part + 1) * size) / parts)];
      return run(along(y, i + 1, start, end - start), i + 1, true);
    });
    return tf.concat(pieces, i + 1);
  }, x);
}
