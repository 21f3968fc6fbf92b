import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { applyTemperature, calibration, temperatureScaling } from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

const golden = JSON.parse(readFileSync(new URL("golden/calibration.json", import.meta.url), "utf8")) as Record<
  string,
  number
>;

/** As in tools/golden/inspect-calibration.py. */
function pseudo(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453) % 1);
}
const labels = pseudo(1, 400).map((value) => Math.floor(Math.abs(value) * 5));
const logits = pseudo(2, 2000).map((value, i) => 4 * value + (labels[Math.floor(i / 5)] === i % 5 ? 2.5 : 0));

it.each([10, 15])("errors of calibration equal torchmetrics' and netcal's with %i bins", (bins) => {
  const found = calibration({ logits, labels }, { bins });
  expect(found.ece).toBeCloseTo(golden[`ece${bins}`]!, 6);
  expect(found.mce).toBeCloseTo(golden[`mce${bins}`]!, 6);
  expect(found.accuracy).toBeCloseTo(golden["accuracy"]!, 9);
  expect(found.nll).toBeCloseTo(golden["nll"]!, 9);
  expect(found.bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(400);
});

it("the reliability diagram is what plain counting gives", () => {
  // Logits whose softmax is 0.75 and 0.25, and 0.5 + 0.5: confidences 0.75 (right, right, wrong) and 0.9 (right).
  const sure = Math.log(3);
  const rows = [sure, 0, sure, 0, 0, sure, Math.log(9), 0];
  const { bins, ece, mce } = calibration({ logits: rows, labels: [0, 0, 0, 0] }, { bins: 5 });
  expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 3, 1]);
  expect(bins[3]!.confidence).toBeCloseTo(0.75, 12);
  expect(bins[3]!.accuracy).toBeCloseTo(2 / 3, 12);
  expect(ece).toBeCloseTo((3 * (0.75 - 2 / 3) + 1 * (1 - 0.9)) / 4, 12);
  expect(mce).toBeCloseTo(0.1, 12);
});

it("the temperature is the one of the smallest likelihood loss, as torch's optimizer finds it", () => {
  const { temperature, before, after } = temperatureScaling({ logits, labels });
  expect(temperature).toBeCloseTo(golden["temperature"]!, 5);
  expect(before.nll).toBeCloseTo(golden["nll"]!, 9);
  expect(after.nll).toBeCloseTo(golden["nllAfter"]!, 9);
  expect(after.accuracy).toBe(before.accuracy);
  const perfect = { logits: [2, 0, 0, 2], labels: [0, 1] };
  expect(() => temperatureScaling(perfect)).toThrow("some are classified right and some wrong");
  expect(() => calibration({ logits: [1, 2, 3], labels: [0, 1] })).toThrow("got 3 logits and 2 labels");
  expect(() => calibration({ logits: [1, 2], labels: [2] })).toThrow("labels from 0 to 1, got 2 at 0");
});

it.each(["inside the dense layer", "as a layer of its own"])(
  "a temperature divides the logits, with softmax %s",
  (where) => {
    const isOwn = where === "as a layer of its own";
    const dense = tfl.layers.dense({ units: 3, inputShape: [4], activation: isOwn ? "linear" : "softmax" });
    const model = tfl.sequential({ layers: [dense, ...(isOwn ? [tfl.layers.softmax()] : [])] });
    dense.setWeights([tf.tensor2d(pseudo(3, 12), [4, 3]), tf.tensor1d([0.5, -1, 2])]);
    const input = tf.tensor2d(pseudo(4, 8), [2, 4]);
    const logProbabilities = (): number[] => [...(model.predict(input) as tf.Tensor).dataSync()].map(Math.log);
    const before = logProbabilities();
    applyTemperature(model, 2.5);
    // Differences of logarithms are those of the logits, so they are 2.5 times as small.
    logProbabilities().forEach((value, i) => {
      const first = Math.floor(i / 3) * 3;
      expect(value - logProbabilities()[first]!).toBeCloseTo((before[i]! - before[first]!) / 2.5, 5);
    });
    const squared = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [4], activation: "relu" })] });
    expect(() => applyTemperature(squared, 2)).toThrow("expected logits from a dense layer");
    expect(() => applyTemperature(model, 0)).toThrow("a number above 0, got 0");
  },
);
