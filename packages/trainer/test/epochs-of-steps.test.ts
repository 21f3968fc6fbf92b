import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Batch, type BatchOptions, type Dataset, fromGenerator, type IndexedDataset } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { train } from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

const settings = {
  batch: 4,
  seed: 4,
  optimizer: "adam",
  restoreBest: false,
  execution: { deterministic: true },
} as const;
// Five batches a pass; the last one has two images.
const data = halves(18);

function values(model: LayersModel): number[][] {
  return model.getWeights().map((weight) => [...weight.dataSync()]);
}

async function order(passes: number): Promise<number[][]> {
  const indices: number[][] = [];
  for (let epoch = 0; epoch < passes; epoch += 1)
    for await (const batch of data.batches({ batch: 4, seed: 4, shuffle: true, epoch }))
      indices.push([...batch.indices]);
  return indices;
}

test.each([1, 3])("epochs of 3 steps go through the data pass by pass, %i steps a call", async (stepsPerCall) => {
  const trained: number[][] = [];
  const sizes: number[] = [];
  const batches = async function* (options: BatchOptions): AsyncGenerator<Batch> {
    for await (const batch of data.batches(options)) {
      trained.push([...batch.indices]);
      yield batch;
    }
  };
  const watched: IndexedDataset = { ...data, batches };
  const model = smallNet();
  const rates: number[] = [];
  const hooks = {
    onTrainBatchEnd: (_: number, { size, lr }: { size: number; lr: number }) => {
      sizes.push(size);
      rates.push(lr);
    },
  };
  const options = { ...settings, model, data: watched, epochs: 4, stepsPerEpoch: 3, stepsPerCall } as const;
  const { history, steps } = await train({ ...options, schedule: "cosine", callbacks: [hooks] });
  expect([history.length, steps]).toEqual([4, 12]);
  expect(trained.slice(0, 12)).toEqual((await order(3)).slice(0, 12));
  expect(sizes).toEqual([4, 4, 4, 4, 2, 4, 4, 4, 4, 2, 4, 4]);
  // Half a cosine over the twelve steps.
  rates.forEach((rate, step) => expect(rate).toBeCloseTo(0.0005 * (1 + Math.cos((Math.PI * step) / 12)), 9));

  // The same twelve steps, in epochs of one pass.
  if (stepsPerCall > 1) return;
  const passes = smallNet();
  const stop = {
    onTrainBatchEnd: (_: number, __: object, run: { step: number; stop(reason: string): void }) =>
      void (run.step === 12 && run.stop("twelve")),
  };
  await train({ ...settings, model: passes, data, epochs: 3, callbacks: [stop] });
  const plain = smallNet();
  await train({ ...settings, model: plain, data, epochs: 4, stepsPerEpoch: 3 });
  expect(values(plain)).toEqual(values(passes));
});

test.each([
  [1, [5, 10]],
  [2, [3, 7]],
])("an epoch may be several passes, and goes on with the same bits, accumulating %i", async (accumulate, stops) => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-steps-"));
  try {
    const options = { ...settings, data, epochs: 2, stepsPerEpoch: 7, accumulate } as const;
    const whole = smallNet();
    const { history } = await train({ ...options, model: whole });
    for (const at of stops) {
      const out = join(folder, String(at));
      const stop = new AbortController();
      const hook = {
        onTrainBatchEnd: (_: number, __: object, run: { step: number }) => void (run.step === at && stop.abort()),
      };
      const first = await train({ ...options, model: smallNet(), out, signal: stop.signal, callbacks: [hook] });
      expect(first.steps).toBe(at);
      const rest = smallNet();
      const result = await train({ ...options, model: rest, out, resume: true });
      expect(values(rest)).toEqual(values(whole));
      expect(result.history.map(({ loss }) => loss)).toEqual(history.map(({ loss }) => loss));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a generator without a size takes a schedule, and goes on where an epoch ended", async () => {
  let made = 0;
  const samples = function* () {
    for (let i = 0; i < 18; i += 1) {
      made += 1;
      yield { image: new Uint8Array(64).fill(i), label: i % 2 };
    }
  };
  const endless: Dataset = fromGenerator({ samples, shape: [8, 8, 1], classes: ["a", "b"], buffer: 1 });
  const result = await train({
    ...settings,
    model: smallNet(),
    data: endless,
    epochs: 5,
    stepsPerEpoch: 2,
    schedule: "cosine",
  });
  expect(result.steps).toBe(10);
  // Two passes of 18 images; no image is made twice to be skipped.
  expect(made).toBeLessThanOrEqual(36);
});

test("validationSteps validates on the same drawn images in each epoch", async () => {
  const validation = halves(20, { first: 1 });
  const drawn: number[] = [];
  for await (const batch of validation.batches({ batch: 4, seed: 4, shuffle: true })) drawn.push(...batch.indices);
  const options = { ...settings, data, epochs: 2 } as const;
  const some = await train({ ...options, model: smallNet(), validation, validationSteps: 2 });
  const selected = await train({ ...options, model: smallNet(), validation: validation.select(drawn.slice(0, 8)) });
  some.history.forEach(({ valLoss, valAccuracy }, epoch) => {
    expect(valLoss).toBeCloseTo(selected.history[epoch]!.valLoss!, 6);
    expect(valAccuracy).toBe(selected.history[epoch]!.valAccuracy);
  });
  await expect(train({ ...options, model: smallNet(), validationSteps: 2 })).rejects.toThrow(
    /validationSteps needs validation/,
  );
  await expect(train({ ...options, model: smallNet(), stepsPerEpoch: 0 })).rejects.toThrow(
    /stepsPerEpoch must be a whole/,
  );
});
