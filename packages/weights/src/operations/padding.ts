import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { along, repeated } from "./along.ts";
import type { Values } from "./values.ts";

/** Pads as NumPy's `pad` does: constant, reflect, symmetric, edge or wrap. */
export function padded(v: Values): tf.Tensor {
  const x = v.tensor("x");
  const given = v.get("pad_width");
  const widths = typeof given === "number" ? x.shape.map(() => [given, given]) : (given as (number | number[])[]);
  const isPairs = Array.isArray(widths) && widths.every((side) => Array.isArray(side) && side.length === 2);
  const all = isPairs ? widths : x.shape.map(() => widths);
  const pads = (all.length === 1 ? x.shape.map(() => all[0]) : all) as [number, number][];
  if (pads.length !== x.rank)
    throw new OptionError(`expected a padding for each of ${x.rank} axes, got ${shown(given)}`);
  const mode = v.word("mode", "constant").toLowerCase();
  if (mode === "constant") return tf.pad(x, pads, v.number("constant_values", 0));
  if (mode === "reflect" || mode === "symmetric") return mirrored(x, pads, mode);
  if (mode === "edge") return pads.reduce((y, [before, after], axis) => edged(y, before, after, axis), x);
  if (mode === "wrap") return pads.reduce((y, [before, after], axis) => wrapped(y, before, after, axis), x);
  throw new OptionError(`expected a padding with constant, reflect, symmetric, edge or wrap, got ${mode}`);
}

function mirrored(x: tf.Tensor, pads: readonly [number, number][], mode: "reflect" | "symmetric"): tf.Tensor {
  const skip = mode === "reflect" ? 1 : 0;
  return pads.reduce((y, [before, after], axis) => {
    const size = y.shape[axis]!;
    const part = (start: number, length: number): tf.Tensor => tf.reverse(along(y, axis, start, length), axis);
    const sides = [
      ...(before > 0 ? [part(skip, before)] : []),
      y,
      ...(after > 0 ? [part(size - after - skip, after)] : []),
    ];
    return sides.length === 1 ? y : tf.concat(sides, axis);
  }, x);
}

function edged(x: tf.Tensor, before: number, after: number, axis: number): tf.Tensor {
  if (before === 0 && after === 0) return x;
  const side = (start: number, times: number): tf.Tensor[] =>
    times === 0 ? [] : [repeated(along(x, axis, start, 1), times, axis)];
  return tf.concat([...side(0, before), x, ...side(x.shape[axis]! - 1, after)], axis);
}

function wrapped(x: tf.Tensor, before: number, after: number, axis: number): tf.Tensor {
  const size = x.shape[axis]!;
  const times = Math.ceil(before / size) + 1 + Math.ceil(after / size);
  if (times === 1) return x;
  const all = tf.tile(
    x,
    x.shape.map((_, at) => (at === axis ? times : 1)),
  );
  return along(all, axis, (size - (before % size)) % size, before + size + after);
}
