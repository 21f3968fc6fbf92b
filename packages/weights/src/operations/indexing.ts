import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { Operations } from "./operation.ts";
import type { Values } from "./values.ts";

const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Whole numbers of places; a negative one counts from the end of its axis. */
function fromEnd(places: tf.Tensor, size: number): tf.Tensor {
  const whole = tf.cast(places, "int32");
  return tf.where(tf.less(whole, 0), tf.add(whole, tf.scalar(size, "int32")), whole);
}

/** For each element of `shape`, where an axis begins in a tensor of the sizes `within`: the sum of places times strides. */
function offsets(shape: readonly number[], within: readonly number[], axes: readonly number[]): tf.Tensor {
  return axes.reduce(
    (sum: tf.Tensor, axis) => {
      const side = shape.map((_, other) => (other === axis ? shape[axis]! : 1));
      const places = tf.range(0, shape[axis]!, 1, "int32");
      const stride = tf.scalar(countOf(within.slice(axis + 1)), "int32");
      return tf.add(sum, tf.reshape(tf.mul(places, stride), side));
    },
    tf.zeros(shape as number[], "int32"),
  );
}

/** The elements of a tensor at these places of its flat list. */
function takenAt(x: tf.Tensor, places: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.gather(tf.reshape(x, [-1]), tf.reshape(places, [-1]) as tf.Tensor1D), places.shape);
}

/** A tensor with values set, or added, at these places of its flat list. Gradients reach both. */
function scattered(x: tf.Tensor, places: tf.Tensor, updates: tf.Tensor, reduction: string): tf.Tensor {
  const [size, count] = [x.size, places.size];
  const rows = tf.reshape(places, [count, 1]);
  const flat = tf.reshape(updates, [count]);
  if (reduction === "add") {
    const add = tf.customGrad((into, values) => ({
      value: tf.add(into as tf.Tensor, tf.scatterND(rows, values as tf.Tensor, [size])),
      gradFunc: (dy: tf.Tensor) => [dy, tf.reshape(tf.gather(dy, tf.reshape(rows, [-1]) as tf.Tensor1D), [count])],
    }));
    return tf.reshape(add(tf.reshape(x, [-1]), flat), x.shape);
  }
  if (reduction !== "none") throw new OptionError(`expected the reduction none or add, got ${reduction}`);
  // The number of the update at each place, from 1; 0 where there is none.
  const source = tf.scatterND(rows, tf.range(1, count + 1, 1, "int32"), [size]);
  const taken = tf.gather(flat, tf.cast(tf.maximum(tf.sub(source, 1), 0), "int32") as tf.Tensor1D);
  return tf.reshape(tf.where(tf.greater(source, 0), taken, tf.cast(tf.reshape(x, [-1]), updates.dtype)), x.shape);
}

/** The place of each row of indices in the flat list of rows of a tensor, as GatherND counts them. */
function rowPlaces(x: tf.Tensor, indices: tf.Tensor, batchDims: number): { places: tf.Tensor; depth: number } {
  const depth = indices.shape.at(-1)!;
  const sizes = x.shape.slice(batchDims, batchDims + depth);
  const columns = tf.unstack(tf.cast(indices, "int32"), -1);
  const outer = indices.shape.slice(0, -1);
  const within = columns.reduce(
    (sum: tf.Tensor, column, axis) =>
      tf.add(tf.mul(sum, tf.scalar(sizes[axis]!, "int32")), fromEnd(column, sizes[axis]!)),
    tf.zeros(outer, "int32"),
  );
  const before = x.shape.slice(0, batchDims);
  const axes = before.map((_, axis) => axis);
  const starts = tf.mul(offsets(outer, before, axes), tf.scalar(countOf(sizes), "int32"));
  return { places: tf.add(within, starts), depth };
}

/** Each element of a row of a tensor whose rows have `length` elements. */
function elementPlaces(places: tf.Tensor, length: number): tf.Tensor {
  const starts = tf.mul(tf.expandDims(places, -1), tf.scalar(length, "int32"));
  return tf.add(starts, tf.range(0, length, 1, "int32"));
}

/** The flat places that indices along one axis mean. */
function axisPlaces(v: Values, x: tf.Tensor): tf.Tensor {
  const indices = v.tensor("indices", "int32");
  const axis = v.axis("axis", x.rank, 0);
  const others = x.shape.map((_, other) => other).filter((other) => other !== axis);
  const stride = tf.scalar(countOf(x.shape.slice(axis + 1)), "int32");
  const along = tf.mul(fromEnd(indices, x.shape[axis]!), stride);
  return tf.add(offsets(indices.shape, x.shape, others), along);
}

/** ONNX' functions that take and set elements at places. */
export const indexing: Operations = {
  gatherelements: [
    "x indices axis",
    (v) => {
      const x = v.tensor("x");
      return takenAt(x, axisPlaces(v, x));
    },
  ],
  gathernd: [
    "x indices batch_dims",
    (v) => {
      const [x, indices] = [v.tensor("x"), v.tensor("indices", "int32")];
      const batchDims = v.number("batch_dims", 0);
      const { places, depth } = rowPlaces(x, indices, batchDims);
      const row = x.shape.slice(batchDims + depth);
      const taken = takenAt(x, elementPlaces(places, countOf(row)));
      return tf.reshape(taken, [...places.shape, ...row]);
    },
  ],
  scatterelements: [
    "x indices updates axis reduction",
    (v) => {
      const x = v.tensor("x");
      return scattered(x, axisPlaces(v, x), v.tensor("updates"), v.word("reduction", "none"));
    },
  ],
  scatternd: [
    "x indices updates reduction",
    (v) => {
      const x = v.tensor("x");
      const { places, depth } = rowPlaces(x, v.tensor("indices", "int32"), 0);
      const flat = elementPlaces(places, countOf(x.shape.slice(depth)));
      return scattered(x, flat, v.tensor("updates"), v.word("reduction", "none"));
    },
  ],
};
