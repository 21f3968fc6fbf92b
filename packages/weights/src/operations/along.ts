import * as tf from "@tensorflow/tfjs-core";

/** Repeats every slice along an axis, as `np.repeat` does. */
export function repeated(x: tf.Tensor, times: number, axis: number): tf.Tensor {
  const apart = tf.tile(tf.expandDims(x, axis + 1), [
    ...x.shape.slice(0, axis + 1).map(() => 1),
    times,
    ...x.shape.slice(axis + 1).map(() => 1),
  ]);
  return tf.reshape(
    apart,
    x.shape.map((size, i) => (i === axis ? size * times : size)),
  );
}

/** Slices one axis. */
export function along(x: tf.Tensor, axis: number, start: number, length: number): tf.Tensor {
  return tf.slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((size, i) => (i === axis ? length : size)),
  );
}
