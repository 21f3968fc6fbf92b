import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { auc, classReports, confusionMatrix, evaluator, inTopK } from "../src/index.ts";

const { auc: golden } = JSON.parse(readFileSync(new URL("golden/numbers.json", import.meta.url), "utf8")) as {
  auc: { labels: number[]; scores: number[]; value: number };
};

/** The share of pairs in which the positive example scores higher; equal scores count half. */
function shareOfPairs(scores: readonly number[], labels: readonly number[]): number {
  const of = (label: number) => scores.filter((_, i) => labels[i] === label);
  const wins = of(1).flatMap((high) => of(0).map((low) => (high > low ? 1 : high === low ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

test("AUC is the share of pairs in the right order, ties half", () => {
  const rounded = golden.scores.map((score) => Math.round(score * 20) / 20);
  for (const scores of [golden.scores, rounded]) {
    const area = auc();
    area.add(scores.slice(0, 100), golden.labels.slice(0, 100));
    area.add(scores.slice(100), golden.labels.slice(100));
    expect(area.result()).toBeCloseTo(shareOfPairs(scores, golden.labels), 12);
  }
  // Keras' AUC goes by 200 thresholds, so it is near and not equal.
  expect(shareOfPairs(golden.scores, golden.labels)).toBeCloseTo(golden.value, 2);
});

test("AUC tells scores near 1 apart", () => {
  const area = auc();
  area.add([0.9999, 0.99991, 0.99998, 0.99999], [0, 0, 1, 1]);
  expect(area.result()).toBe(1);
});

test("AUC of several classes is the mean of each class against the rest", () => {
  const probabilities = [0.7, 0.2, 0.1, 0.3, 0.3, 0.4, 0.1, 0.8, 0.1, 0.5, 0.2, 0.3].map(Math.fround);
  const labels = [0, 2, 1, 1];
  const gathered = evaluator(["a", "b", "c"]);
  gathered.add({
    labels: Int32Array.from(labels),
    indices: Int32Array.of(0, 1, 2, 3),
    probabilities: Float32Array.from(probabilities),
    loss: 1,
  });
  const areas = [0, 1, 2].map((index) =>
    shareOfPairs(
      labels.map((_, i) => probabilities[3 * i + index]!),
      labels.map((label) => (label === index ? 1 : 0)),
    ),
  );
  expect(gathered.result().auc).toBeCloseTo((areas[0]! + areas[1]! + areas[2]!) / 3, 12);
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
  const matrix = confusionMatrix(3);
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
    accuracy: 1 / 3,
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
