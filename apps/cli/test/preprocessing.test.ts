import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeImage } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-preprocessing-"));
const at = (name: string): string => join(folder, name);
let model: tfl.LayersModel;

beforeAll(async () => {
  await useEngine("wasm");
  await colorFolder(at("data"), ["blue", "green", "red"], 4, { width: 40, height: 30 });
  const { conv2d, globalAveragePooling2d, dense } = tfl.layers;
  model = tfl.sequential({
    layers: [
      conv2d({ filters: 6, kernelSize: 3, activation: "relu", inputShape: [14, 14, 3] }),
      globalAveragePooling2d({}),
      dense({ units: 3, activation: "softmax" }),
    ],
  });
  await saveModel(model, at("net.onnx"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function asked(...args: string[]): Promise<{ probabilities: number[]; err: string }> {
  const { status, out, err } = await call(
    "predict",
    at("net.onnx"),
    at("data/red/1.jpg"),
    "--json",
    "--engine",
    "wasm",
    ...args,
  );
  expect(status, err).toBe(0);
  const [{ predictions }] = JSON.parse(out) as [{ predictions: { index: number; probability: number }[] }];
  const sorted = predictions.toSorted((a, b) => a.index - b.index);
  return { probabilities: sorted.map(({ probability }) => probability), err };
}

// Channel by channel: (value / 255 - mean) / deviation, and Keras' modes.
test.each([
  [
    "torchvision",
    { resize: "antialiased", crop: 0.875 },
    (value: number, c: number) => (value / 255 - [0.485, 0.456, 0.406][c]!) / [0.229, 0.224, 0.225][c]!,
  ],
  ["tf", {}, (value: number) => value / 127.5 - 1],
  ["unit", {}, (value: number) => value / 255],
] as const)("--preprocessing %s makes the input of an .onnx file", async (kind, fit, scaled) => {
  const { data } = await decodeImage(at("data/red/1.jpg"), { ...fit, size: [14, 14] });
  const input = tf.tensor4d(
    Array.from(data, (value, i) => scaled(value, i % 3)),
    [1, 14, 14, 3],
  );
  const expected = (model.predict(input) as tf.Tensor).dataSync();
  const { probabilities, err } = await asked("--preprocessing", kind);
  for (const [i, probability] of probabilities.entries()) expect(probability).toBeCloseTo(expected[i]!, 5);
  expect(err).not.toContain("does not say");
});

test("a file that does not say how images become its input gets them as they are, and that is told", async () => {
  const { err } = await asked();
  expect(err).toMatch(/net\.onnx does not say how images become its input: .*--preprocessing/);
});

test("a converted file keeps what was named", async () => {
  const { status, err } = await call("convert", at("net.onnx"), at("net.keras"), "--preprocessing", "torchvision");
  expect(status, err).toBe(0);
  const { out } = await call("predict", at("net.keras"), at("data/red/1.jpg"), "--json", "--engine", "wasm");
  const [{ predictions }] = JSON.parse(out) as [{ predictions: { index: number; probability: number }[] }];
  const { probabilities } = await asked("--preprocessing", "torchvision");
  for (const { index, probability } of predictions) expect(probability).toBeCloseTo(probabilities[index]!, 5);
});
