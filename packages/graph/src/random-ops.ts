import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { attr } from "./attrs.ts";
import { DT } from "./dtypes.ts";
import { GraphError } from "./graph-error.ts";
import type { Patches } from "./patches.ts";
import type { Trace } from "./trace.ts";

/** The distributions that TensorFlow draws without state: uniform in [0, 1), normal, and normal cut at two deviations. */
export type Distribution = "Uniform" | "Normal" | "TruncatedNormal";

/** The ops that draw them. */
const ops: Record<Distribution, string> = {
  Uniform: "StatelessRandomUniform",
  Normal: "StatelessRandomNormal",
  TruncatedNormal: "StatelessTruncatedNormal",
};

/** Numbers drawn in the graph, anew at every run. */
export function draw(trace: Trace, distribution: Distribution, shape: readonly number[], seed?: number): tf.Tensor {
  const attrs = { dtype: attr.type(DT.float32), T: attr.type(DT.int32), Tseed: attr.type(DT.int32) };
  const dims = trace.constant(DT.int32, [shape.length], Int32Array.from(shape));
  return trace.tensor({ node: trace.add(ops[distribution], attrs, [dims, trace.randomSeed(seed)]), index: 0 });
}

/** `x` with each element zero with probability `rate`, and the others scaled so that the mean stays. */
export function dropoutOf(
  trace: Trace,
  x: tf.Tensor,
  rate: number,
  noiseShape?: readonly number[],
  seed?: number,
): tf.Tensor {
  if (rate === 0) return x.clone();
  return tf.tidy(() => {
    const shape = noiseShape === undefined ? x.shape : x.shape.map((size, axis) => noiseShape[axis] ?? size);
    const kept = tf.cast(tf.greaterEqual(draw(trace, "Uniform", shape, seed), rate), "float32");
    return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
  });
}

/** tfjs' functions that draw in JavaScript, where their numbers would freeze. */
const drawing =
  /^(randomUniform|randomNormal|randomStandardNormal|truncatedNormal|randomGamma|rand|randomUniformInt)__op$/;

/**
 * While a function is traced, what tfjs draws in JavaScript is drawn in the graph: for tfjs-layers and all who call
 * tfjs-core's CommonJS exports; tf.dropout by its scope; what cannot be caught so throws.
 */
export function patchRandom(patches: Patches, trace: Trace): void {
  const core = createRequire(import.meta.url)("@tensorflow/tfjs-core") as Record<string, unknown>;
  const replace = (name: string, by: (...args: never[]) => unknown) => {
    if (Object.getOwnPropertyDescriptor(core, name)?.writable) patches.wrap(core, name, () => by);
  };
  replace("dropout", (x: tf.Tensor, rate: number, noiseShape?: number[], seed?: number) =>
    dropoutOf(trace, x, rate, noiseShape, seed),
  );
  replace("randomUniform", (shape: number[], min = 0, max = 1, dtype: tf.DataType = "float32", seed?: number) =>
    tf.tidy(() => tf.cast(tf.add(tf.mul(draw(trace, "Uniform", shape, seed), max - min), min), dtype)),
  );
  const normal =
    (distribution: Distribution) =>
    (shape: number[], mean = 0, deviation = 1, dtype: tf.DataType = "float32", seed?: number) =>
      tf.tidy(() => tf.cast(tf.add(tf.mul(draw(trace, distribution, shape, seed), deviation), mean), dtype));
  replace("randomNormal", normal("Normal"));
  replace("truncatedNormal", normal("TruncatedNormal"));

  const scopes: string[] = [];
  const engine = tf.engine();
  patches.wrap(
    engine,
    "startScope",
    (start) =>
      function (this: unknown, name?: string) {
        scopes.push(name ?? "");
        return start.call(this, name);
      },
  );
  patches.wrap(
    engine,
    "endScope",
    (end) =>
      function (this: unknown, ...args: unknown[]) {
        scopes.pop();
        return end.apply(this, args);
      },
  );
  patches.wrap(
    engine,
    "makeTensor",
    (make) =>
      function (this: unknown, values: unknown, shape: number[], ...rest: unknown[]) {
        const drawn = scopes.find((scope) => drawing.test(scope));
        if (drawn === undefined) return make.call(this, values, shape, ...rest);
        if (scopes.includes("dropout__op")) return draw(trace, "Uniform", shape);
        throw new GraphError(
          `tf.${drawn.replace("__op", "")} draws its numbers in JavaScript: in a compiled function they would be the same at every run. Use random.uniform, random.normal or random.truncatedNormal of @convkit/graph, which also work eagerly.`,
        );
      },
  );
}
