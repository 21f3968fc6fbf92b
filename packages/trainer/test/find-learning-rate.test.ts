import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { findLearningRate } from "../src/index.ts";
import { smoothedLosses, suggestRates } from "../src/search/rate-suggestions.ts";
import { data, network } from "./arithmetic.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

test("losses are averaged as by hand", () => {
  const mean = (0.98 * 0.02 * 3 + 0.02 * 1) / (1 - 0.98 ** 2);
  expect(smoothedLosses([3, 1])[0]).toBeCloseTo(3, 12);
  expect(smoothedLosses([3, 1])[1]).toBeCloseTo(mean, 12);
});

test("rates are suggested by the longest fall, its steepest place and the lowest loss", () => {
  // 30 steps, of which three at the start and five at the end do not count. The loss is flat, falls over ten steps, then rises.
  const losses = [
    9, 9, 9, 5, 5.01, 5.02, 5.03, 4.9, 4.7, 4.4, 3.5, 3, 2.6, 2.3, 2.1, 2, 1.95, 2.2, 2.6, 3.1, 3.7, 4.4, 5.2, 6, 7, 8,
    9, 9, 9, 9,
  ];
  const points = losses.map((loss, i) => ({ learningRate: 10 ** (i / 10 - 4), loss, smoothed: loss }));
  const { valley, steepest, minimum } = suggestRates(points, 30);
  const rate = (step: number) => points[step]!.learningRate;
  expect(minimum).toBeCloseTo(rate(16) / 10, 12);
  // Between steps 9 and 10 the loss falls by 0.9, the most.
  expect(steepest).toBeCloseTo(rate(9), 12);
  // The longest fall is from step 3 (5) over 7 to 16: eleven values, so it counts from step 2 + 3 of the curve; a third of its length is 3.67, half of that 1.83.
  expect(valley).toBeCloseTo(rate(3 + 2 + 3 + 1), 12);
});

test("rates rise exponentially, and the model keeps its weights", async () => {
  const model = network();
  const before = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  const options = { optimizer: "sgd", from: 1e-4, to: 1, steps: 12, batch: 5 } as const;
  const { points } = await findLearningRate(model, data, options);
  expect(points).toHaveLength(12);
  points.forEach(({ learningRate }, i) => expect(learningRate / (1e-4 * 10 ** (i / 3))).toBeCloseTo(1, 9));
  expect(model.getWeights().flatMap((weight) => [...weight.dataSync()])).toEqual(before);
  await expect(findLearningRate(model, data, { from: 1, to: 0.1 })).rejects.toThrow(/to must be a number above from/);
});
