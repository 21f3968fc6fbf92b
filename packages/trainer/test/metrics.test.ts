import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { auc, classReports, confusion, evaluator, inTopK } from "../src/index.ts";

const { auc: golden } = JSON.parse(readFileSync(new URL("golden/numbers.json", import.meta.url), "utf8")) as {
  auc: { labels: number[]; scores: number[]; value: number };
};

test("AUC equals Keras'", () => {
  const area = auc();
  area.add(golden.scores.slice(0, 100), golden.labels.slice(0, 100));
  area.add(golden.scores.slice(100), golden.labels.slice(100));
  expect(area.result()).toBeCloseTo(golden.value, 6);
});

test("AUC of a perfect order is 1, of its reverse 0, of one class not a number", () => {
  const scores = [0.1, 0.2, 0.8, 0.9];
  const area = (positive: number[]) => {
    const gathered = auc();
    gathered.add(scores, positive);
    return gathered.result();
  };
  expect(area([0, 0, 1, 1])).toBeCloseTo(1, 10);
  expect(area([1, 1, 0, 0])).toBeCloseTo(0, 10);
  expect(area([1, 1, 1, 1])).toBeNaN();
});

test("precision, recall and F1 of each class", () => {
  const matrix = confusion(3);
  matrix.add([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 1]);
  expect(matrix.counts).toEqual([
    [2, 1, 0],
    [1, 1, 0],
    [0, 1, 0],
  ]);
  const [a, b, c] = classReports(matrix.counts, ["a", "b", "c"]);
  expect([a!.precision, a!.recall, a!.f1]).toEqual([2 / 3, 2 / 3, 2 / 3]);
  expect([b!.precision, b!.recall, b!.support, b!.correct]).toEqual([1 / 3, 1 / 2, 2, 1]);
  expect([c!.precision, c!.recall, c!.f1]).toEqual([0, 0, 0]);
});

test("a label is in the top k where fewer than k score higher", () => {
  expect([1, 2, 3].map((k) => inTopK([0.2, 0.5, 0.3], 0, k))).toEqual([false, false, true]);
  expect(inTopK([0.4, 0.4, 0.2], 1, 1)).toBe(true);
  expect(inTopK([Number.NaN, 0.4], 1, 1)).toBe(false);
});

test("an evaluation over batches: loss, top-1, top-5, confusion and the worst mistakes", () => {
  const evaluation = evaluator(["cat", "dog"], { mistakes: 1 });
  evaluation.add({
    labels: Int32Array.of(0, 1),
    indices: Int32Array.of(4, 5),
    probabilities: Float32Array.of(0.9, 0.1, 0.8, 0.2),
    loss: 1,
  });
  evaluation.add({
    labels: Int32Array.of(0),
    indices: Int32Array.of(6),
    probabilities: Float32Array.of(0.05, 0.95),
    loss: 4,
  });
  const result = evaluation.result();
  expect(result).toMatchObject({
    count: 3,
    loss: 2,
    top1: 1 / 3,
    top5: 1,
    confusion: [
      [1, 1],
      [1, 0],
    ],
  });
  expect(evaluation.mistakes).toEqual([{ index: 6, actual: 0, predicted: 1, probability: expect.closeTo(0.95, 6) }]);
});

test("one output is the probability of the second class", () => {
  const evaluation = evaluator(["cat", "dog"]);
  evaluation.add({
    labels: Int32Array.of(0, 1, 1),
    indices: Int32Array.of(0, 1, 2),
    probabilities: Float32Array.of(0.2, 0.7, 0.4),
    loss: 1,
  });
  expect(evaluation.result().confusion).toEqual([
    [1, 0],
    [1, 1],
  ]);
});
