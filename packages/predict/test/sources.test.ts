import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  batchNorm,
  chain,
  conv,
  dense,
  features,
  globalAvgPool,
  modelMetadata,
  network,
  setModelMetadata,
} from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { installOpenvino } from "@convkit/engine/openvino";
import { createModel } from "@convkit/models";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classify, predictor } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-sources-"));
const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.25] } as const;
const body = (classes: number) =>
  chain({
    conv1: conv(4, 3, { stride: 2, padding: "same", activation: "relu" }),
    norm: batchNorm(),
    conv2: conv(5, 3, { padding: "valid", activation: "relu" }),
    pool: globalAvgPool(),
    fc: dense(classes, { activation: "softmax" }),
  });
const made = () => network([9, 14, 3], body(2), { name: "small", classes: ["cat", "dog"], preprocessing });
let net: tfl.LayersModel;
const data = Uint8Array.from({ length: 2 * 9 * 14 * 3 }, (_, i) => (i * 131 + (i >> 5) * 17) % 256);
const pixels = { data, shape: [2, 9, 14, 3] };
let own: Float32Array;

/** The outputs of a model with the preprocessing by hand. */
function outputsOf(model: tfl.LayersModel): Float32Array {
  const prepared = Float32Array.from(data, (value) => (value / 255 - 0.5) / 0.25);
  return tf.tidy(() => (model.predict(tf.tensor(prepared, pixels.shape)) as tf.Tensor).dataSync<"float32">().slice());
}

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  await installOpenvino();
  net = made();
  own = outputsOf(net);
  mkdirSync(join(folder, "run"));
  await saveModel(net, join(folder, "net.keras"));
  await saveModel(net, join(folder, "net.h5"));
  await saveModel(net, join(folder, "net.onnx"));
  await saveModel(net, join(folder, "tfjs"), { format: "tfjs" });
  await saveModel(net, join(folder, "run", "model"), { format: "tfjs" });
  await saveModel(net, join(folder, "net.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const engine = engines[0] === undefined ? "wasm" : "tensorflow";

test.each([
  ["net.keras", "openvino"],
  ["net.h5", "onnxruntime"],
  ["net.onnx", "openvino"],
  ["net.onnx", engine],
  ["tfjs", "auto"],
  ["tfjs/model.json", engine],
  ["run", "auto"],
] as const)("%s predicts with the runtime %s and the preprocessing it carries", async (file, runtime) => {
  const forward = predictor(join(folder, file), { runtime });
  expect(forward.describe()).toBe(undefined);
  const { inputs, outputs, ...described } = await forward.ready();
  expect(inputs).toEqual([{ name: inputs[0]!.name, shape: [null, 9, 14, 3], type: "float32" }]);
  expect(outputs.map(({ shape }) => shape)).toEqual([[null, 2]]);
  if (runtime !== "auto") expect(described.runtime).toBe(runtime);
  const found = await forward.predict(pixels);
  expect(found.shape).toEqual([2, 2]);
  own.forEach((value, i) => expect(found.data[i]).toBeCloseTo(value, 4));
  await forward.dispose();
});

test("weights alone go into the network that is named or given", async () => {
  const file = join(folder, "net.safetensors");
  const empty = network([9, 14, 3], body(2), { name: "small", seed: 9, preprocessing });
  const forward = predictor(file, { network: empty, runtime: "openvino" });
  const found = await forward.predict(pixels);
  own.forEach((value, i) => expect(found.data[i]).toBeCloseTo(value, 4));
  await forward.dispose();

  const lenet = createModel("lenet5", { seed: 3 });
  const digits = join(folder, "lenet5.safetensors");
  await saveModel(lenet, digits);
  const side = lenet.inputs[0]!.shape[1]!;
  const image = { data: Uint8Array.from({ length: side ** 2 }, (_, i) => (i * 131) % 256), shape: [1, side, side, 1] };
  const answers = [predictor(digits, { network: "lenet5", runtime: "openvino" }), predictor(lenet)];
  const [named, given] = await Promise.all(answers.map((each) => each.predict(image)));
  named!.data.forEach((value, i) => expect(value).toBeCloseTo(given!.data[i]!, 4));
  await Promise.all(answers.map((each) => each.dispose()));

  await expect(predictor(file, { network: "lenet6" }).ready()).rejects.toThrow('unknown model "lenet6"');
  expect(() => predictor(lenet, { network: "lenet5" })).toThrow("expected network with the path of a file of weights");
});

test("a path classifies with the names that the file carries", async () => {
  const image = { data: data.slice(0, 9 * 14 * 3), shape: [9, 14, 3] };
  const [expected] = await classify(net, image, { top: 1 });
  expect(["cat", "dog"]).toContain(expected!.label);
  for (const file of ["net.onnx", "run"]) {
    const [best] = await classify(join(folder, file), image, { top: 1 });
    expect(best).toMatchObject({ label: expected!.label });
    expect(best!.probability).toBeCloseTo(expected!.probability, 4);
  }
});

describe.each([
  ["openvino", "a model"],
  ["onnxruntime", "a model"],
  [undefined, "a model"],
  ["openvino", "net.onnx"],
  ["onnxruntime", "net.onnx"],
  ["openvino", "run"],
] as const)("features by %s of %s", (runtime, source) => {
  test("are those of the model", async () => {
    const forward = predictor(source === "a model" ? net : join(folder, source), { runtime });
    // What the dense layer takes, and the map of the first convolution.
    const cases = [
      [undefined, features(net, ["pool"])],
      ["conv1", features(net, ["conv1"])],
    ] as const;
    for (const [layer, model] of cases) {
      const want = outputsOf(model);
      const { data: found, shape } = await forward.features(pixels, { layer });
      expect(shape).toEqual([2, ...model.outputs[0]!.shape.slice(1)]);
      want.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
    }
    expect((await forward.predict(pixels)).shape).toEqual([2, 2]);
    await expect(forward.features(pixels, { layer: "conv9" })).rejects.toThrow('got "conv9"');
    await forward.dispose();
  });
});

test("logits are told from probabilities in a layers model and in its ONNX file", async () => {
  const logits = network([9, 14, 3], chain({ pool: globalAvgPool(), fc: dense(2) }));
  const kernel = tf.tensor2d([
    [0.4, 1.8],
    [0, 0],
    [0, 0],
  ]);
  logits.layers.at(-1)!.setWeights([kernel, tf.zeros([2])]);
  setModelMetadata(logits, { preprocessing: {} });
  expect(modelMetadata(logits).classes).toBe(undefined);
  const file = join(folder, "logits.onnx");
  await saveModel(logits, file);
  const half = { data: new Float32Array(9 * 14 * 3).fill(0.5), shape: [9, 14, 3] };
  for (const source of [logits, file]) {
    // Logits 0.2 and 0.9, both between 0 and 1.
    const [first] = await classify(source, half);
    expect(first).toMatchObject({ index: 1 });
    expect(first!.probability).toBeCloseTo(1 / (1 + Math.exp(-0.7)), 5);
  }
});

describe.skipIf(engine === "wasm")("a SavedModel without layers", () => {
  const saved = join(folder, "savedmodel");
  beforeAll(() => saveModel(net, saved, { format: "savedmodel" }));

  test("predicts on TensorFlow with the preprocessing and the classes it carries, at any batch size", async () => {
    for (const runtime of [undefined, "tensorflow", "auto"] as const) {
      const forward = predictor(saved, { runtime });
      const { runtime: taken, inputs, trials } = await forward.ready();
      expect([taken, inputs[0]!.shape, trials.length]).toEqual([
        "tensorflow",
        [null, 9, 14, 3],
        runtime === "tensorflow" ? 0 : 2,
      ]);
      const found = await forward.predict(pixels);
      expect(found.shape).toEqual([2, 2]);
      own.forEach((value, i) => expect(found.data[i]).toBeCloseTo(value, 5));
      const one = await forward.predict({ data: data.subarray(378), shape: [1, 9, 14, 3] });
      own.slice(2).forEach((value, i) => expect(one.data[i]).toBeCloseTo(value, 5));
      await expect(forward.predict({ data, shape: [2, 14, 9, 3] })).rejects.toThrow("expected the shape");
      await forward.dispose();
    }
    const [best] = await classify(saved, { data: data.subarray(0, 378), shape: [9, 14, 3] }, { top: 1 });
    expect(best!.label).toBe(own[0]! > own[1]! ? "cat" : "dog");
    expect(best!.probability).toBeCloseTo(Math.max(own[0]!, own[1]!), 5);
  });

  test("is refused where it cannot be run as asked", async () => {
    const refused = [
      [{ runtime: "openvino" }, "which the runtime openvino does not read"],
      [{ precision: "bfloat16" }, "which computes in its own precision, not bfloat16"],
      [{ execution: { eager: true } }, "expected no execution with a SavedModel's graph"],
    ] as const;
    for (const [options, told] of refused) await expect(predictor(saved, options).ready()).rejects.toThrow(told);
    const forward = predictor(saved);
    await expect(forward.features(pixels)).rejects.toThrow("it has no layer whose output could be given");
    await forward.dispose();
  });
});
