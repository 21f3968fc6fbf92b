import { readFileSync } from "node:fs";
import { embeddingMap } from "@convkit/inspect";
import { expect, it } from "vitest";

interface Golden {
  readonly images: readonly string[];
  readonly labels: readonly number[];
  readonly plane: number;
  readonly trustworthiness: readonly number[];
  readonly agreement: readonly number[];
}

const golden = JSON.parse(readFileSync(new URL("golden/umap.json", import.meta.url), "utf8")) as Golden;
/** Digits of 8x8 pixels, values from 0 to 16, each as a letter from a to q. */
const rows = golden.images.map((image) => [...image].map((letter) => letter.charCodeAt(0) - 97));
const count = rows.length;

/** The other rows in the order of their distance to each row. */
function orders(points: readonly (readonly number[])[]): number[][] {
  return points.map((own, i) => {
    const distances = points.map((point) => point.reduce((sum, value, axis) => sum + (value - own[axis]!) ** 2, 0));
    return distances.flatMap((_, j) => (j === i ? [] : [j])).toSorted((a, b) => distances[a]! - distances[b]!);
  });
}

/** Venna and Kaski 2001: 1 if the nearest 10 on the map are among the nearest 10 of the images. */
function trustworthiness(images: readonly number[][], map: readonly number[][]): number {
  const neighbors = 10;
  const near = orders(images);
  const lost = orders(map).map((order, i) =>
    order.slice(0, neighbors).reduce((sum, j) => sum + Math.max(0, near[i]!.indexOf(j) + 1 - neighbors), 0),
  );
  const total = lost.reduce((a, b) => a + b, 0);
  return 1 - (total * 2) / (count * neighbors * (2 * count - 3 * neighbors - 1));
}

it("the test's measure is scikit-learn's", () => {
  const plane = rows.map((row, i) => [row[20]! + i / 1000, row[43]! + i / 1000]);
  expect(trustworthiness(rows, plane)).toBeCloseTo(golden.plane, 3);
});

it("a map of digits keeps neighbors as well as umap-learn's", () => {
  const embeddings = { shape: [count, 64] as const, values: Float32Array.from(rows.flat()) };
  const { values } = embeddingMap(embeddings);
  const map = rows.map((_, i) => [values[2 * i]!, values[2 * i + 1]!]);
  const nearest = orders(map).map(([first]) => first!);
  const alike = nearest.filter((other, i) => golden.labels[i] === golden.labels[other]).length;
  // umap-learn's five maps have 0.983 to 0.986, and 142 to 145 of 150 digits are nearest to one of their kind.
  expect(trustworthiness(rows, map)).toBeGreaterThan(Math.min(...golden.trustworthiness) - 0.01);
  expect(alike / count).toBeGreaterThan(Math.min(...golden.agreement) - 0.03);
});
