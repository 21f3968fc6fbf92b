import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { DT } from "../values/dtypes.ts";
import type { Trace } from "./trace.ts";

/** The distributions that TensorFlow draws without state: uniform in [0, 1), normal, and normal cut at two deviations. */
export type Distribution = "Uniform" | "Normal" | "TruncatedNormal";

/** The ops that draw from the distributions. */
const ops: Record<Distribution, string> = {
  Uniform: "StatelessRandomUniform",
  Normal: "StatelessRandomNormal",
  TruncatedNormal: "StatelessTruncatedNormal",
};

/** Draws numbers in the graph, anew at every run. */
export function draw(trace: Trace, distribution: Distribution, shape: readonly number[], seed?: number): tf.Tensor {
  const attrs = { dtype: attr.type(DT.float32), T: attr.type(DT.int32), Tseed: attr.type(DT.int32) };
  const dims = trace.constant(DT.int32, [shape.length], Int32Array.from(shape));
  return trace.tensor({ node: trace.add(ops[distribution], attrs, [dims, trace.numbers.randomSeed(seed)]), index: 0 });
}

/** `offset + factor * draw`. Integers are made as in tfjs: uniform numbers are truncated, normal ones rounded. */
export function drawScaled(
  trace: Trace,
  distribution: Distribution,
  shape: readonly number[],
  { offset, factor, dtype = "float32" }: { offset: number; factor: number; dtype?: tf.DataType },
): tf.Tensor {
  return tf.tidy(() => {
    const unit = draw(trace, distribution, shape);
    const scaled = factor === 1 ? unit : tf.mul(unit, factor);
    const moved = offset === 0 ? scaled : tf.add(scaled, offset);
    if (dtype === "float32") return moved;
    return tf.cast(tf.cast(distribution === "Uniform" ? moved : tf.round(moved), "int32"), dtype);
  });
}

/** Draws classes by their unnormalised log-probabilities, `[n, classes] -> [n, count]`. */
export function drawClasses(trace: Trace, logits: tf.TensorInfo, count: tf.TensorInfo, seed: number): tf.Tensor {
  const inputs = [trace.ref(logits), trace.ref(count), trace.numbers.randomSeed(seed)];
  const attrs = { T: attr.type(DT.float32), Tseed: attr.type(DT.int32), output_dtype: attr.type(DT.int32) };
  return trace.tensor({ node: trace.add("StatelessMultinomial", attrs, inputs), index: 0 });
}

/** Sets each element of `x` to zero with probability `rate`, and scales the others so that the mean stays. */
export function dropoutOf(
  trace: Trace,
  x: tf.Tensor,
  rate: number,
  // A layer that was read from JSON has null here, a new layer has undefined.
  noiseShape?: readonly number[] | null,
  seed?: number | null,
): tf.Tensor {
  if (rate === 0) return x.clone();
  return tf.tidy(() => {
    const shape = x.shape.map((size, axis) => noiseShape?.[axis] ?? size);
    const kept = tf.cast(tf.greaterEqual(draw(trace, "Uniform", shape, seed ?? undefined), rate), "float32");
    return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
  });
}
