import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { loadModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { type Callback, evaluate, train } from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

// Four batches a pass; the last one has two images.
const data = halves(14);
const validation = halves(10, { first: 1 });
const settings = {
  data,
  epochs: 4,
  batch: 4,
  seed: 4,
  optimizer: { name: "sgd", learningRate: 0.001 },
  swa: { start: 2 },
} as const;

function values(model: LayersModel): number[][] {
  return model.layers.flatMap((layer) => layer.getWeights().map((weight) => [...weight.dataSync()]));
}

/** Mean and variance of each channel of `[n, h, w, 4]`, by loops. */
function moments(maps: Float32Array): { mean: number[]; variance: number[] } {
  const pixels = maps.length / 4;
  const mean = [0, 0, 0, 0];
  const variance = [0, 0, 0, 0];
  maps.forEach((value, i) => (mean[i % 4]! += value / pixels));
  maps.forEach((value, i) => (variance[i % 4]! += (value - mean[i % 4]!) ** 2 / pixels));
  return { mean, variance };
}

// Three images of one class for one of the other.
const uneven = halves(40).select([0, 2, 4, 6, 8, 10, 12, 14, 16, 1, 3, 5]);

test.each([
  { eager: false, images: data },
  { eager: true, images: data },
  { eager: false, images: uneven, sampling: "balanced" as const },
])("is the mean of the last epochs, with statistics of its own: %o", async ({ eager, images, sampling }) => {
  const epochs: number[][][] = [];
  const model = smallNet();
  const collect: Callback = { onEpochEnd: () => void epochs.push(values(model)) };
  const drawn = sampling === undefined ? {} : { sampling };
  const given = { ...settings, ...drawn, data: images };
  const { swa } = await train({ ...given, model, validation, callbacks: [collect], execution: { eager } });

  const last = epochs.slice(1);
  const got = values(model);
  const [kernel, bias, gamma, beta, movingMean, movingVariance, ...dense] = got as [number[], number[], ...number[][]];
  const wanted = last[0]!.map((weight, w) =>
    weight.map((_, i) => last.reduce((sum, each) => sum + each[w]![i]!, 0) / last.length),
  );
  for (const [w, own] of [kernel, bias, gamma, beta, undefined, undefined, ...dense].entries())
    own?.forEach((value, i) => expect(value, `weight ${w}`).toBeCloseTo(wanted[w]![i]!, 6));

  // One pass over the training data through the mean's convolution; each batch counts the same.
  const sums = { mean: [0, 0, 0, 0], variance: [0, 0, 0, 0] };
  const batches = Math.ceil(images.size / 4);
  for await (const { images: pixels, shape } of images.batches({
    batch: 4,
    seed: 4,
    shuffle: true,
    epoch: 5,
    ...drawn,
  })) {
    const maps = tf.tidy(() => {
      const conv = tf.conv2d(
        tf.tensor4d(Float32Array.from(pixels), shape),
        tf.tensor4d(kernel, [3, 3, 1, 4]),
        1,
        "valid",
      );
      return tf.relu(tf.add(conv, tf.tensor1d(bias))).dataSync<"float32">();
    });
    const own = moments(maps);
    for (let c = 0; c < 4; c += 1) {
      sums.mean[c]! += own.mean[c]! / batches;
      sums.variance[c]! += own.variance[c]! / batches;
    }
  }
  // Some channels are dead: their statistics are 0.
  expect(Math.min(Math.max(...sums.mean), Math.max(...sums.variance))).toBeGreaterThan(1);
  for (const [wantedStatistics, gotStatistics] of [
    [sums.mean, movingMean!],
    [sums.variance, movingVariance!],
  ] as const)
    wantedStatistics.forEach((value, c) =>
      expect(Math.abs(gotStatistics[c]! - value), `channel ${c}`).toBeLessThan(1e-5 * (1 + value)),
    );

  expect(swa!.epochs).toBe(3);
  const judged = await evaluate(model, validation);
  expect(swa!.valLoss).toBeCloseTo(judged.loss, 5);
  expect(swa!.valAccuracy).toBe(judged.accuracy);
  const norm = model.layers.find((layer) => layer.getClassName() === "BatchNormalization")!;
  expect(norm.getConfig()["momentum"]).toBe(0.99);
});

test("a resumed run ends with the same mean, which its directory holds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-swa-"));
  try {
    const options = { ...settings, execution: { deterministic: true } } as const;
    const whole = smallNet();
    await train({ ...options, model: whole });
    const out = join(folder, "run");
    const stop = new AbortController();
    const hook: Callback = {
      onTrainBatchEnd: (_, { epoch, batch }) => void (epoch === 3 && batch === 2 && stop.abort()),
    };
    const first = await train({ ...options, model: smallNet(), out, signal: stop.signal, callbacks: [hook] });
    expect([first.interrupted, first.swa]).toEqual([true, undefined]);
    const rest = smallNet();
    const { swa } = await train({ ...options, model: rest, out, resume: true });
    expect(swa).toEqual({ epochs: 3 });
    expect(values(rest)).toEqual(values(whole));
    expect(values((await loadModel(out)) as LayersModel)).toEqual(values(whole));
    const other = train({ ...options, model: smallNet(), out, resume: true, swa: { start: 3 } });
    await expect(other).rejects.toThrow(/expected swa .*2.* got .*3/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("refuses what cannot be meant, and tells of a run that ends before", async () => {
  const refused = (options: object) => expect(train({ ...settings, model: smallNet(), ...options })).rejects;
  await refused({ swa: {} }).toThrow(/swa.start, the first epoch that counts, must be given/);
  await refused({ swa: { start: 5 } }).toThrow(/swa.start must be an epoch of the run, 1 to 4, not 5/);
  await refused({ swa: null }).toThrow(/^swa must be an object of options, not null\.$/);
  await refused({ swa: { begin: 2 } }).toThrow(/swa has no begin/);
  await refused({ ema: 0.9 }).toThrow(/swa and ema both average the weights/);
  await refused({ restoreBest: true }).toThrow(/leave out restoreBest/);
  const notes: string[] = [];
  const early: Callback = { onEpochEnd: (_, __, training) => training.stop("enough") };
  const onNote = (note: string) => void notes.push(note);
  const { swa } = await train({ ...settings, model: smallNet(), callbacks: [early], onNote });
  expect(swa).toBeUndefined();
  expect(notes).toContain("The training ended before epoch 2, so swa has no weights to average.");
});
