import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { eagerly } from "../tfjs/backend-hook.ts";
import { GraphError } from "../graph-error.ts";
import type { Patches } from "../tfjs/patches.ts";
import { drawClasses, drawScaled, draw, dropoutOf } from "../trace/random-nodes.ts";
import type { Distribution } from "../trace/random-nodes.ts";
import { scaleOf } from "./recover-random-scale.ts";
import type { Trace } from "../trace/trace.ts";

/** tfjs' functions that draw in JavaScript, by the scopes they open; those without a distribution cannot be drawn in a graph. */
const drawing: ReadonlyMap<string, Distribution | undefined> = new Map([
  ["randomUniform__op", "Uniform"],
  ["randomNormal__op", "Normal"],
  ["truncatedNormal__op", "TruncatedNormal"],
  ["randomGamma__op", undefined],
  ["rand__op", undefined],
] as const);

/** The seed that tfjs gets where it would draw one: its first two numbers lie far apart in each distribution. */
const SEED = 0.7;

/**
 * While a function is traced, what tfjs draws in JavaScript is drawn in the graph. Who calls the CommonJS exports of tfjs
 * (tfjs-layers, `require`) reaches functions that record; for all others the numbers that tfjs drew tell how they were
 * drawn. A draw with a seed of its own stays as it is: tfjs gives the same numbers at every call.
 */
export function patchRandom(patches: Patches, trace: Trace): void {
  for (const module of tfjsModules()) patchExports(patches, trace, module);
  const engine = tf.engine();
  patches.wrap(
    engine,
    "runKernel",
    (run) =>
      function (this: unknown, kernel: string, inputs: never, attrs: never) {
        if (kernel !== "Multinomial") return run.call(this, kernel, inputs, attrs);
        return drawMultinomial(trace, inputs, attrs);
      },
  );

  const scopes: string[] = [];
  /** Whether tfjs asked for a seed, for the function that is drawing. */
  let asked = false;
  patches.wrap(
    engine,
    "startScope",
    (start) =>
      function (this: unknown, name = "") {
        if (drawing.has(name)) asked = false;
        scopes.push(name);
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
  patches.wrap(Math, "random", (random) => () => {
    const scope = scopes.findLast((name) => drawing.has(name));
    if (scope === undefined || drawing.get(scope) === undefined) return random();
    asked = true;
    return SEED;
  });
  patches.wrap(
    engine,
    "makeTensor",
    (make) =>
      function (this: unknown, values: Float32Array, shape: number[], dtype: tf.DataType, ...rest: unknown[]) {
        const scope = scopes.findLast((name) => drawing.has(name));
        if (scope === undefined) return make.call(this, values, shape, dtype, ...rest);
        if (scopes.includes("dropout__op")) return draw(trace, "Uniform", shape);
        const distribution = drawing.get(scope);
        if (distribution !== undefined && !asked) return make.call(this, values, shape, dtype, ...rest);
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
      },
  );
}

/** The modules of tfjs in this process that others call by their exports. */
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

/** What tfjs draws from that seed without mean and deviation, or bounds, of one's own. */
function unitDraw(distribution: Distribution, shape: number[]): Float32Array {
  return tf
    .tidy(() => {
      if (distribution === "Uniform") return tf.randomUniform(shape, 0, 1, "float32", SEED);
      if (distribution === "Normal") return tf.randomNormal(shape, 0, 1, "float32", SEED);
      return tf.truncatedNormal(shape, 0, 1, "float32", SEED);
    })
    .dataSync<"float32">();
}

function drawMultinomial(
  trace: Trace,
  { logits }: { logits: tf.Tensor },
  { numSamples, seed, normalized }: { numSamples: number; seed: number; normalized: boolean },
): tf.Tensor {
  return tf.tidy(() =>
    drawClasses(trace, normalized ? tf.log(logits) : logits, tf.scalar(numSamples, "int32"), Math.trunc(seed)),
  );
}
