import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Batch, type BatchOptions, type IndexedDataset, splitFolds } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { crossValidate, readHistory, train } from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

const settings = { epochs: 1, batch: 8, seed: 4, optimizer: "adam", execution: { deterministic: true } } as const;

test("each fold is a training on the others, with mean and deviation of their validations", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-folds-"));
  try {
    const data = halves(30);
    const out = join(folder, "cv");
    const made: number[] = [];
    const options = { ...settings, data, folds: 3, metrics: ["auc"], out } as const;
    const model = (fold: number) => {
      made.push(fold);
      return smallNet();
    };
    const { folds, statistics } = await crossValidate({ ...options, model });
    expect(made).toEqual([1, 2, 3]);

    const byHand: number[] = [];
    for (const [others, fold] of splitFolds(data, 3, { seed: 4 })) {
      const own = { name: "halves", train: others, validation: fold };
      const { final } = await train({ ...settings, model: smallNet(), data: own, metrics: ["auc"] });
      byHand.push(final!.valLoss!);
    }
    expect(folds.map(({ final }) => final!.valLoss)).toEqual(byHand);
    const [a, b, c] = byHand as [number, number, number];
    const mean = (a + b + c) / 3;
    const { val_loss: loss } = statistics;
    expect(loss!.values).toEqual(byHand);
    expect(loss!.mean).toBeCloseTo(mean, 12);
    expect(loss!.deviation).toBeCloseTo(Math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 2), 12);
    expect(Object.keys(statistics)).toEqual(["val_loss", "val_accuracy", "val_auc"]);
    for (const [index, { final }] of folds.entries()) {
      const [row] = await readHistory(join(out, `fold-${index + 1}`, "history.csv"));
      expect(row!.valLoss).toBe(final!.valLoss);
    }
    expect(existsSync(join(out, "fold-3", "model"))).toBe(true);
    expect(JSON.parse(await readFile(join(out, "folds.json"), "utf8"))).toEqual({ folds: 3, statistics });

    // Folds that are done are read, not trained again.
    const again = await crossValidate({ ...options, model, resume: true });
    expect(again.statistics).toEqual(statistics);
    expect(again.folds.map(({ steps }) => steps)).toEqual(folds.map(({ steps }) => steps));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("refuses what is no fold, and tells of classes that are too small", async () => {
  const data = halves(12);
  const refused = (options: object) =>
    expect(crossValidate({ ...settings, model: () => smallNet(), data, ...options })).rejects;
  await refused({ folds: 1 }).toThrow(/folds from 2 to the 12 images of halves, got 1/);
  await refused({ model: smallNet() }).toThrow(/expected model to be a function/);
  await refused({ callbacks: [] }).toThrow(/expected callbacks to be a function/);
  await refused({ validation: 0.1 }).toThrow(/validation/);
  const one = smallNet();
  await refused({ model: () => one, folds: 2 }).toThrow(/got the one of an earlier fold for fold 2/);
  const notes: string[] = [];
  const few = data.select([0, 1, 2, 3, 4, 6, 8]);
  await crossValidate({
    ...settings,
    model: () => smallNet(),
    data: few,
    folds: 3,
    onNote: (note) => notes.push(note),
  });
  expect(notes).toContain("halves: too few images for each of the 3 folds to have one of the class right (2).");
});

/** The data set, and the labels of the batches that it yields. */
function watched(data: IndexedDataset): { readonly data: IndexedDataset; readonly seen: number[][] } {
  const seen: number[][] = [];
  const batches = async function* (options: BatchOptions): AsyncGenerator<Batch> {
    for await (const batch of data.batches(options)) {
      seen.push([...batch.labels]);
      yield batch;
    }
  };
  return { data: { ...data, batches }, seen };
}

test("balanced sampling draws each class equally often; resumed, it ends with the same bits", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-balanced-"));
  try {
    const all = halves(40);
    // Four images of the class left, 20 of the class right.
    const uneven = all.select(Array.from({ length: 40 }, (_, i) => i).filter((i) => i % 2 === 1 || i < 8));
    const options = { ...settings, epochs: 2, sampling: "balanced", restoreBest: false } as const;
    const { data, seen } = watched(uneven);
    const whole = smallNet();
    await train({ ...options, model: whole, data });
    const labels = seen.flat();
    expect(labels).toHaveLength(48);
    expect(labels.filter((label) => label === 0)).toHaveLength(24);

    const out = join(folder, "run");
    const stop = new AbortController();
    const atStep4 = {
      onTrainBatchEnd: (batch: number, { epoch }: { epoch: number }) =>
        void (epoch === 2 && batch === 0 && stop.abort()),
    };
    await train({ ...options, model: smallNet(), data: uneven, out, signal: stop.signal, callbacks: [atStep4] });
    const rest = smallNet();
    await train({ ...options, model: rest, data: uneven, out, resume: true });
    const values = (model: typeof rest) => model.getWeights().map((weight) => [...weight.dataSync()]);
    expect(values(rest)).toEqual(values(whole));
    const other = train({
      ...settings,
      epochs: 2,
      restoreBest: false,
      model: smallNet(),
      data: uneven,
      out,
      resume: true,
    });
    await expect(other).rejects.toThrow(/expected sampling "balanced", got not given/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("held-out images have the shares of the classes on request", async () => {
  const all = halves(60);
  const uneven = all.select(Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 2 === 1 || i < 20));
  const { data, seen } = watched(uneven);
  await train({ ...settings, model: smallNet(), data: { name: "halves", train: data } });
  expect(seen.flat().filter((label) => label === 0)).toHaveLength(10);
  const parts: number[][] = [];
  const select = (indices: ArrayLike<number>) => {
    const labels = Array.from(indices, (index) => uneven.labels[index]!);
    parts.push([labels.filter((label) => label === 0).length, labels.filter((label) => label === 1).length]);
    return uneven.select(indices);
  };
  const spied: IndexedDataset = { ...uneven, select };
  await train({ ...settings, model: smallNet(), data: spied, validation: 8, stratify: true });
  expect(parts).toEqual([
    [8, 24],
    [2, 6],
  ]);
  await expect(train({ ...settings, model: smallNet(), data: uneven, stratify: true })).rejects.toThrow(
    /stratify is for/,
  );
});
