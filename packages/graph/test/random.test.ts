import * as tf from "@tensorflow/tfjs-core";
import { createRequire } from "node:module";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { scaleOf } from "../src/patches/random-scale.ts";

const tfjs = createRequire(import.meta.url)("@tensorflow/tfjs-core") as typeof tf;
const shape: [number, number] = [40, 50];

describe.runIf(engines.includes("native"))("tfjs' own random numbers in a compiled function", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  /** Draws with their mean, deviation and bounds. */
  const draws: Record<string, [() => tf.Tensor, mean: number, deviation: number, low: number, high: number]> = {
    "randomUniform of a shape": [() => tf.randomUniform(shape), 0.5, 1 / Math.sqrt(12), 0, 1],
    "randomUniform in bounds": [() => tf.randomUniform(shape, -3, 5), 1, 8 / Math.sqrt(12), -3, 5],
    "randomUniform by an export": [() => tfjs.randomUniform(shape, -3, 5), 1, 8 / Math.sqrt(12), -3, 5],
    "randomUniform of whole numbers": [() => tfjs.randomUniform(shape, 0, 10, "int32"), 4.5, 2.872, 0, 9],
    "randomUniformInt by an export": [() => tfjs.randomUniformInt(shape, 2, 6, undefined as never), 3.5, 1.118, 2, 5],
    "randomNormal of a shape": [() => tf.randomNormal(shape), 0, 1, -6, 6],
    "randomNormal of mean and deviation": [() => tf.randomNormal(shape, 2, 0.02), 2, 0.02, 1.8, 2.2],
    "randomNormal by an export": [() => tfjs.randomNormal(shape, 2, 0.02), 2, 0.02, 1.8, 2.2],
    "randomNormal of a deviation that was computed": [() => tf.randomNormal(shape, 0, 1 / 3), 0, 1 / 3, -2, 2],
    randomStandardNormal: [() => tf.randomStandardNormal(shape), 0, 1, -6, 6],
    "truncatedNormal of mean and deviation": [() => tf.truncatedNormal(shape, 1, 0.5), 1, 0.44, 0, 2],
    "truncatedNormal by an export": [() => tfjs.truncatedNormal(shape, 1, 0.5), 1, 0.44, 0, 2],
    multinomial: [() => tf.multinomial(tf.log([[0.5, 0.25, 0.25]]) as tf.Tensor2D, 2000), 0.75, 0.829, 0, 2],
  };

  test.each(Object.entries(draws))("%s: as distributed, new at each run, equal for equal seeds", async (_, draw) => {
    const [fn, mean, deviation, low, high] = draw;
    const [a, b] = [compile(fn, { seed: 7 }), compile(fn, { seed: 7 })] as const;
    const [first, second] = [await a(), await a()];
    expect((await b()).data).toEqual(first.data);
    expect(second.data).not.toEqual(first.data);
    const values = Array.from(first.data);
    const average = values.reduce((x, y) => x + y) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length;
    // The seed is fixed, and so are the numbers: within five standard errors of 2,000 draws.
    expect(Math.abs(average - mean)).toBeLessThan((5 * deviation) / Math.sqrt(2000));
    expect(Math.abs(Math.sqrt(variance) / deviation - 1)).toBeLessThan(0.1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    await Promise.all([a.dispose(), b.dispose()]);
  });

  test.each([
    ["one by one", (): tf.Tensor[] => [tf.randomNormal([4]), tf.randomNormal([4])]],
    ["of one element", (): tf.Tensor[] => [tf.randomUniform([1]), tf.randomUniform([])]],
    ["of two elements", (): tf.Tensor[] => [tf.randomUniform([2], 10, 20), tf.truncatedNormal([2], 15, 0.1)]],
  ])("two draws of one function differ: %s", async (_, fn) => {
    const f = compile(fn);
    const [a, b] = await f();
    expect([...a!.data].slice(0, 1)).not.toEqual([...b!.data].slice(0, 1));
    await f.dispose();
  });

  test.each([
    ["randomNormal", () => tf.randomNormal([5], 1, 2, "float32", 3)],
    ["randomUniform", () => tf.randomUniform([5], 1, 2, "float32", 3)],
    ["an export", () => tfjs.truncatedNormal([5], 1, 2, "float32", 3)],
  ])("a seed of its own gives the numbers that tfjs gives, at each run: %s", async (_, fn) => {
    const f = compile(fn);
    const eager = [...fn().dataSync()];
    expect([...(await f()).data]).toEqual(eager);
    expect([...(await f()).data]).toEqual(eager);
    await f.dispose();
  });

  test("a step may draw its noise by tf.randomNormal, and JavaScript's own numbers go on", async () => {
    const w = tf.variable(tf.zeros([3]));
    const before = Math.random;
    const step = compile(() => {
      w.assign(tf.add(w, tf.randomNormal([3], 5, 0.1)));
    });
    await step();
    await step();
    expect(Math.random).toBe(before);
    expect(Math.random()).not.toBe(0.7);
    const [x = 0, y] = w.dataSync();
    expect(x).toBeCloseTo(10, 0);
    expect(x).not.toBe(y);
    await step.dispose();
  });

  test.each([
    ["randomGamma", () => tf.randomGamma([4], 2)],
    ["rand", () => tf.rand([4], () => Math.random())],
    ["randomNormal of one element and a mean", () => tf.randomNormal([1], 3)],
    ["randomUniformInt", () => tf.randomUniformInt([4], 0, 9, undefined as never)],
  ])("%s cannot be told from its numbers, and throws", async (_, fn) => {
    const f = compile(fn);
    await expect(f()).rejects.toThrow(/random\.uniform/);
    await f.dispose();
  });
});

describe("scaleOf", () => {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

  test("finds offset and factor from float32 numbers whose units lie apart", () => {
    const units = fc.array(number(-4, 4), { minLength: 0, maxLength: 20 });
    fc.assert(
      fc.property(units, number(-10, 10), number(0.1, 1), (more, offset, factor) => {
        const unit = Float32Array.of(0.2, 0.9, ...more);
        const found = scaleOf(
          Float32Array.from(unit, (z) => offset + factor * z),
          unit,
        )!;
        const size = Math.abs(offset) + factor;
        expect(Math.abs(found.offset - offset)).toBeLessThan(1e-4 * size);
        expect(Math.abs(found.factor - factor)).toBeLessThan(1e-4 * size);
      }),
      // An offset that is almost nothing beside the factor.
      { examples: [[[], 7.23684766903987e-7, 0.8177486636331428]] },
    );
  });

  test("finds the numbers that were written", () => {
    const unit = Float32Array.of(0.2, 0.9, 0.5);
    for (const [offset, factor] of [
      [0, 2],
      [-1, 2],
      [0, 0.02],
      [0.5, 0.001],
      [3, -0.25],
    ] as const)
      expect(
        scaleOf(
          Float32Array.from(unit, (z) => offset + factor * z),
          unit,
        ),
      ).toEqual({ offset, factor });
  });

  test.each([
    ["other numbers", [0.3, 0.2, 0.1]],
    ["a single number", [0.3]],
  ])("finds nothing in %s", (_, values) => {
    expect(scaleOf(values, [0.2, 0.9, 0.5].slice(0, values.length))).toBeUndefined();
  });
});
