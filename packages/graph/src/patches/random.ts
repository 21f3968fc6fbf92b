import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { eagerly, isTracing } from "../tfjs/recording.ts";
import { GraphError } from "../graph-error.ts";
import { drawScaled, draw, dropoutOf } from "../trace/random-nodes.ts";
import type { Distribution } from "../trace/random-nodes.ts";
import { scaleOf } from "./random-scale.ts";
import type { Trace } from "../trace/trace.ts";
import { refuseCall } from "./nondeterminism.ts";
import type { Patches } from "./patches.ts";
import type { TracePatch } from "./trace-patch.ts";

/** tfjs' functions that draw in JavaScript, by their scope names; without a distribution, a graph cannot draw them. */
const drawing: ReadonlyMap<string, Distribution | undefined> = new Map([
  ["randomUniform__op", "Uniform"],
  ["randomNormal__op", "Normal"],
  ["truncatedNormal__op", "TruncatedNormal"],
  ["randomGamma__op", undefined],
  ["rand__op", undefined],
] as const);

/** The seed that replaces the seeds tfjs would draw: in each distribution, its first two numbers lie far apart. */
const SEED = 0.7;

/**
 * What: random numbers that tfjs draws in JavaScript are drawn in the graph. Calls through tfjs' CommonJS exports (tfjs-layers,
 * `require`) reach functions that record a draw. Calls from ES modules cannot be replaced: there tfjs draws from a known seed, and
 * the mean and deviation, or the bounds, are recovered from the numbers it drew. Any other call of Math.random throws. A draw with a seed of its own stays as it is:
 * tfjs gives the same numbers at every call.
 * Why: numbers drawn in JavaScript would be constants of the graph, the same at every run.
 * Undone: when the trace ends.
 */
export const randomPatch: TracePatch = {
  targets: [
    "exports of tfjs: dropout, randomUniform, randomUniformInt, randomNormal, randomStandardNormal, truncatedNormal",
    "tf.engine().startScope",
    "tf.engine().endScope",
    "tf.engine().makeTensor",
    "Math.random",
  ],
  apply(patches, trace) {
    for (const module of tfjsModules()) patchExports(patches, trace, module);
    const scopes = watchScopes(patches);
    patches.wrap(Math, "random", (random) => () => {
      const scope = scopes.drawing();
      const isRefusedLater = scope === "randomGamma__op" || scopes.open.at(-1) === "multinomial__op";
      if (!isTracing() || isRefusedLater) return random();
      if (scope === undefined || drawing.get(scope) === undefined) return refuseCall("Math.random");
      scopes.asked = true;
      return SEED;
    });
    patches.wrap(
      tf.engine(),
      "makeTensor",
      (make) =>
        function (this: unknown, values: Float32Array, shape: number[], dtype: tf.DataType, ...rest: unknown[]) {
          const scope = scopes.drawing();
          if (scope === undefined) return make.call(this, values, shape, dtype, ...rest);
          if (scopes.open.includes("dropout__op")) return draw(trace, "Uniform", shape);
          const distribution = drawing.get(scope);
          if (distribution !== undefined && !scopes.asked) return make.call(this, values, shape, dtype, ...rest);
          return drawAsTfjs(trace, scope, values, shape, dtype);
        },
    );
  },
};

interface Scopes {
  /** The names of tfjs' open scopes, innermost last. */
  readonly open: readonly string[];
  /** The innermost open scope of a function that draws. */
  drawing(): string | undefined;
  /** True if tfjs asked for a seed for the function that is drawing. */
  asked: boolean;
}

function watchScopes(patches: Patches): Scopes {
  const open: string[] = [];
  const scopes: Scopes = { open, drawing: () => open.findLast((name) => drawing.has(name)), asked: false };
  patches.wrap(
    tf.engine(),
    "startScope",
    (start) =>
      function (this: unknown, name = "") {
        if (drawing.has(name)) scopes.asked = false;
        open.push(name);
        return start.call(this, name);
      },
  );
  patches.wrap(
    tf.engine(),
    "endScope",
    (end) =>
      function (this: unknown, ...args: unknown[]) {
        open.pop();
        return end.apply(this, args);
      },
  );
  return scopes;
}

/** Draws in the graph the numbers that tfjs drew in JavaScript, with the same mean and deviation, or bounds. */
function drawAsTfjs(trace: Trace, scope: string, values: Float32Array, shape: number[], dtype: tf.DataType): tf.Tensor {
  const distribution = drawing.get(scope);
  const scale =
    distribution === undefined || dtype !== "float32"
      ? undefined
      : scaleOf(
          values,
          eagerly(() => unitDraw(distribution, shape)),
        );
  if (distribution === undefined || scale === undefined)
    throw new GraphError(
      `tf.${scope.replace("__op", "")} draws its numbers in JavaScript: in a compiled function they would be the same at every run. Use random.uniform, random.normal or random.truncatedNormal of @convkit/graph, which also work eagerly.`,
    );
  return drawScaled(trace, distribution, shape, scale);
}

/** The CommonJS modules of tfjs in this process. */
function tfjsModules(): Record<string, unknown>[] {
  const require = createRequire(import.meta.url);
  const core = require("@tensorflow/tfjs-core") as Record<string, unknown>;
  const others = Object.values(require.cache).filter((module) =>
    /[\\/]tfjs(-core)?[\\/]dist[\\/]tf(-core)?\.node\.js$/.test(module?.filename ?? ""),
  );
  return [...new Set([core, ...others.map((module) => module?.exports as Record<string, unknown>)])];
}

function patchExports(patches: Patches, trace: Trace, module: Record<string, unknown>): void {
  const replace = (
    name: string,
    make: (original: (...args: unknown[]) => unknown) => (...args: never[]) => unknown,
  ) => {
    if (Object.getOwnPropertyDescriptor(module, name)?.writable) patches.wrap(module, name, make);
  };
  const drawer =
    (distribution: Distribution, span: (low: number, high: number) => { offset: number; factor: number }) =>
    (original: (...args: unknown[]) => unknown) =>
    (shape: number[], a = 0, b = 1, dtype: tf.DataType = "float32", seed?: number) =>
      seed === undefined || seed === null
        ? drawScaled(trace, distribution, shape, { ...span(a, b), dtype })
        : original(shape, a, b, dtype, seed);
  const uniform = drawer("Uniform", (min, max) => ({ offset: min, factor: max - min }));
  const normal = (distribution: Distribution) => drawer(distribution, (offset, factor) => ({ offset, factor }));
  replace(
    "dropout",
    () => (x: tf.Tensor, rate: number, noiseShape?: number[] | null, seed?: number | null) =>
      dropoutOf(trace, x, rate, noiseShape, seed),
  );
  replace("randomUniform", uniform);
  replace("randomUniformInt", (original) => {
    const whole = uniform((shape, min, max, _, seed) => original(shape, min, max, seed));
    return (shape: number[], min: number, max: number, seed?: number) => whole(shape, min, max, "int32", seed);
  });
  replace("randomNormal", normal("Normal"));
  replace("randomStandardNormal", (original) => {
    const standard = normal("Normal")((shape, _, __, dtype, seed) => original(shape, dtype, seed));
    return (shape: number[], dtype?: tf.DataType, seed?: number) => standard(shape, 0, 1, dtype, seed);
  });
  replace("truncatedNormal", normal("TruncatedNormal"));
}

/** The numbers that tfjs draws from `SEED` with mean 0 and deviation 1, or between 0 and 1. */
function unitDraw(distribution: Distribution, shape: number[]): Float32Array {
  return tf
    .tidy(() => {
      if (distribution === "Uniform") return tf.randomUniform(shape, 0, 1, "float32", SEED);
      if (distribution === "Normal") return tf.randomNormal(shape, 0, 1, "float32", SEED);
      return tf.truncatedNormal(shape, 0, 1, "float32", SEED);
    })
    .dataSync<"float32">();
}
