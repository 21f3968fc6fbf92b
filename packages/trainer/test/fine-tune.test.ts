import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchNorm, chain, conv, dense, flatten, modelMetadata, network, replaceHead } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { earlyStopping, fineTune, type FineTuneOptions, readHistory, train } from "../src/index.ts";
import { halves } from "./squares.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

/** The halves with three classes: every fourth image is of the class `other`. */
function threeClasses(count: number) {
  const { labels } = halves(count);
  const images = new Uint8Array(count * 64).map((_, i) => (i * 37) % 251);
  const others = labels.map((label, i) => (i % 4 === 3 ? 2 : label));
  return fromArrays({ images, shape: [8, 8, 1], labels: others, classes: ["left", "right", "other"], name: "three" });
}

const data = threeClasses(32);
const shared = { batch: 8, seed: 4, execution: { deterministic: true }, restoreBest: false } as const;

function smallNet({ outputs = 2 } = {}): LayersModel {
  const body = chain({
    conv: conv(4, 3, { padding: 0, activation: "relu" }),
    norm: batchNorm(),
    flat: flatten(),
    head: dense(outputs, { activation: "softmax" }),
  });
  return network([8, 8, 1], body, { seed: 1 });
}

function values(model: LayersModel): number[][] {
  // A model's own list begins with the weights that are trainable at the time.
  return model.layers.flatMap((layer) => layer.getWeights().map((weight) => [...weight.dataSync()]));
}

function setTrainable(model: LayersModel, isTrainable: (index: number) => boolean): void {
  for (const [index, layer] of model.layers.entries())
    layer.trainable = isTrainable(index) && layer.getClassName() !== "BatchNormalization";
}

test("takes gray images by the sum of the first kernel's channels, and more channels by its scaled repetition", async () => {
  const body = chain({ conv: conv(4, 3, { padding: 0 }), norm: batchNorm(), flat: flatten(), head: dense(3) });
  const color = () => network([8, 8, 3], body, { seed: 1, preprocessing: { mean: [1, 2, 6], scale: 0.5 } });
  const kernel = [...color().layers[1]!.getWeights()[0]!.dataSync()];
  // A kernel of 3x3 pixels, three channels and four filters.
  const at = (pixel: number, channel: number, filter: number) => kernel[(pixel * 3 + channel) * 4 + filter]!;
  const still = { ...shared, epochs: 1, headEpochs: 0, optimizer: { name: "sgd", learningRate: 1e-30 } } as const;
  const gray = (await fineTune(color(), data, { ...still, channels: "adapt" })).model;
  expect(gray.inputs[0]!.shape).toEqual([null, 8, 8, 1]);
  const sums = Array.from({ length: 36 }, (_, i) => [0, 1, 2].reduce((sum, c) => sum + at(i >> 2, c, i & 3), 0));
  [...gray.layers[1]!.getWeights()[0]!.dataSync()].forEach((value, i) => expect(value).toBeCloseTo(sums[i]!, 6));
  const biases = (model: LayersModel) => [...model.layers.at(-1)!.getWeights()[0]!.dataSync()];
  expect(biases(gray)).toEqual(biases(color()));
  expect(modelMetadata(gray).preprocessing).toMatchObject({ mean: [3] });

  const five = fromArrays({
    images: new Uint8Array(4 * 64 * 5).map((_, i) => (i * 37) % 251),
    shape: [8, 8, 5],
    labels: [0, 1, 2, 0],
    classes: [...data.classes],
  });
  const bare = network([8, 8, 3], body, { seed: 1 });
  const many = (await fineTune(bare, five, { ...still, channels: "adapt" })).model;
  const repeated = [...many.layers[1]!.getWeights()[0]!.dataSync()];
  repeated.forEach((value, i) =>
    expect(value).toBeCloseTo((at(Math.floor(i / 20), Math.floor((i % 20) / 4) % 3, i % 4) * 3) / 5, 6),
  );
  await expect(fineTune(color(), data, still)).rejects.toThrow(/channels|8x8x1/);
});

test("is the head alone, then everything with falling rates and still norms, as by two trainings", async () => {
  const [old, twin] = [smallNet(), smallNet()];
  const before = values(old);
  const { model, stages } = await fineTune(old, data, { ...shared, headEpochs: 2, epochs: 2 });
  expect(stages.map(({ epochs }) => epochs)).toEqual([2, 2]);
  expect(model.outputs[0]!.shape).toEqual([null, 3]);

  const byHand = replaceHead(twin, 3, { seed: 4 });
  const schedule = "one-cycle";
  const last = byHand.layers.length - 1;
  setTrainable(byHand, (index) => index === last);
  const head = { name: "adamw", learningRate: 0.002 } as const;
  await train({ ...shared, model: byHand, data, epochs: 2, schedule, optimizer: head });
  expect(values(byHand).slice(0, 2)).toEqual(before.slice(0, 2));
  setTrainable(byHand, () => true);
  // Two groups with weights: the convolution with its norm, and the head.
  await train({
    ...shared,
    model: byHand,
    data,
    epochs: 2,
    schedule,
    optimizer: { name: "adamw", learningRate: 0.001, groups: [{ match: "conv/*", rateFactor: 0.01 }] },
  });
  expect(values(model)).toEqual(values(byHand));
  const norm = model.layers.find((layer) => layer.getClassName() === "BatchNormalization")!;
  expect(norm.getWeights().map((weight) => [...weight.dataSync()])).toEqual([
    [1, 1, 1, 1],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 1, 1],
  ]);
  expect(model.layers.slice(1).every((layer) => layer.trainable)).toBe(true);
});

test("keeps a head whose classes are those of the data, and thaws in stages from the head to the stem", async () => {
  const model = smallNet({ outputs: 3 });
  const seen: string[][] = [];
  const options: FineTuneOptions = {
    ...shared,
    headEpochs: 0,
    epochs: 1,
    stages: 2,
    norms: "train",
    callbacks: () => [
      {
        onEpochEnd: () =>
          void seen.push(
            model.layers
              .filter((layer) => layer.trainable && layer.weights.length > 0)
              .map((layer) => layer.getClassName()),
          ),
      },
    ],
  };
  const result = await fineTune(model, data, options);
  expect(result.model).toBe(model);
  expect(seen).toEqual([["Dense"], ["Conv2D", "BatchNormalization", "Dense"]]);
});

test("a run directory holds all stages, and an interrupted fine-tuning ends with the bits of one that was not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-fine-tune-"));
  try {
    const options = { ...shared, headEpochs: 1, epochs: 2 };
    const whole = await fineTune(smallNet(), data, options);
    const out = join(folder, "run");
    const stop = new AbortController();
    const callbacks = (stage: number) => [
      { onEpochEnd: (epoch: number) => void (stage === 2 && epoch === 1 && stop.abort()) },
    ];
    const first = await fineTune(smallNet(), data, { ...options, out, signal: stop.signal, callbacks });
    expect(first.stages.at(-1)!.interrupted).toBe(true);
    const second = await fineTune(smallNet(), data, { ...options, out, resume: true });
    expect(values(second.model)).toEqual(values(whole.model));
    expect(await readHistory(join(out, "history.csv"))).toHaveLength(2);
    expect(existsSync(join(out, "stages", "1", "history.csv"))).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("refuses what cannot be meant", async () => {
  const model = smallNet();
  const refused = (options: object) => expect(fineTune(model, data, options)).rejects;
  await refused({ stages: 0 }).toThrow(/fineTune.stages must be a whole number from 1/);
  await refused({ norms: "off" }).toThrow(/fineTune.norms must be one of still, train/);
  await refused({ optimizer: tf.train.sgd(0.1) }).toThrow(/each stage has a new one/);
  await refused({ callbacks: [earlyStopping()] }).toThrow(/early-stopping counts epochs and each of the 2 stages/);
  await refused({ epoch: 3 }).toThrow(/Did you mean "epochs"/);
});
