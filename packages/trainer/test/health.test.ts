import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type HealthRecord,
  readHealth,
  tensorBoard,
  train,
  trainingHealth,
  type TrainOptions,
  updateRatio,
} from "../src/index.ts";
import { trimEventFiles } from "../src/tensorboard/trim-event-files.ts";
import { halves, smallNet } from "./squares.ts";

const [count, pixels, hidden, classes, rate, momentum] = [6, 4, 3, 2, 0.5, 0.9];
const images = Float32Array.from({ length: count * pixels }, (_, i) => Math.cos(i * 1.3));
const labels = Array.from({ length: count }, (_, i) => (i * i) % classes);
const kernels = [pixels * hidden, hidden * classes].map((size, layer) =>
  Array.from({ length: size }, (_, i) => Math.sin(i + layer)),
);
const data = fromArrays({ images, shape: [2, 2, 1], labels, classes: ["a", "b"], name: "small" });

/** Two dense layers with fixed weights; the last hidden unit is always zero. */
function network(): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [2, 2, 1] }),
      tfl.layers.dense({ units: hidden, activation: "relu", name: "first" }),
      tfl.layers.dense({ units: classes, activation: "softmax", name: "last" }),
    ],
  });
  model.layers[1]!.setWeights([tf.tensor2d(kernels[0]!, [pixels, hidden]), tf.tensor1d([0.1, 0.2, -9])]);
  model.layers[2]!.setWeights([tf.tensor2d(kernels[1]!, [hidden, classes]), tf.zeros([classes])]);
  return model;
}

const readEvents = `
import json, sys, types
# Without TensorFlow, which takes seconds to load.
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0, "histograms": 0}).Reload()
found = {}
for tag in events.Tags()["scalars"]:
    found[tag] = events.Scalars(tag)[0].value
for tag in events.Tags()["histograms"]:
    found[tag] = {"num": events.Histograms(tag)[0].histogram_value.num}
for tag in events.Tags()["tensors"]:
    if not tag.startswith("health/"):
        continue
    from tensorboard.util.tensor_util import make_ndarray
    value = make_ndarray(events.Tensors(tag)[0].tensor_proto)
    found[tag] = {"num": float(value[:, 2].sum())} if value.ndim == 2 else float(value)
print(json.dumps(found))
`;

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** The measurements of a training by momentum, each step on all images, by plain loops in float64. */
function byLoops(steps: number): HealthRecord[] {
  const weights = [[...kernels[0]!], [0.1, 0.2, -9], [...kernels[1]!], [0, 0]];
  const velocity = weights.map((values) => values.map(() => 0));
  const names = ["first/kernel", "first/bias", "last/kernel", "last/bias"];
  return Array.from({ length: steps }, (_, at) => {
    const [k1, b1, k2, b2] = weights as [number[], number[], number[], number[]];
    const gradients = weights.map((values) => values.map(() => 0));
    const outputs: number[] = [];
    let loss = 0;
    for (let n = 0; n < count; n += 1) {
      const x = [...images.subarray(n * pixels, (n + 1) * pixels)];
      const y = b1.map((bias, h) =>
        Math.max(
          0,
          x.reduce((sum, value, p) => sum + value * k1[p * hidden + h]!, bias),
        ),
      );
      outputs.push(...y);
      const logits = b2.map((bias, c) => y.reduce((sum, value, h) => sum + value * k2[h * classes + c]!, bias));
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      loss -= Math.log(Math.exp(logits[labels[n]!]!) / total) / count;
      const slopes = logits.map((logit, c) => (Math.exp(logit) / total - (c === labels[n] ? 1 : 0)) / count);
      slopes.forEach((slope, c) => {
        gradients[3]![c]! += slope;
        y.forEach((value, h) => (gradients[2]![h * classes + c]! += slope * value));
      });
      y.forEach((value, h) => {
        const back = value === 0 ? 0 : slopes.reduce((sum, slope, c) => sum + slope * k2[h * classes + c]!, 0);
        gradients[1]![h]! += back;
        x.forEach((pixel, p) => (gradients[0]![p * hidden + h]! += back * pixel));
      });
    }
    const mean = outputs.reduce((sum, value) => sum + value, 0) / outputs.length;
    const square = outputs.reduce((sum, value) => sum + value * value, 0) / outputs.length;
    const dead = b1.filter((_, h) => outputs.every((value, i) => i % hidden !== h || value === 0)).length / hidden;
    const measured = weights.map((values, w) => {
      const change = values.map((_, i) => (velocity[w]![i] = momentum * velocity[w]![i]! - rate * gradients[w]![i]!));
      const result = {
        name: names[w]!,
        size: values.length,
        gradientNorm: norm(gradients[w]!),
        weightNorm: norm(values),
        updateNorm: norm(change),
      };
      change.forEach((value, i) => (values[i]! += value));
      return result;
    });
    const deviation = Math.sqrt(square - mean ** 2);
    const activations = [{ layer: "first", mean, deviation, norm: Math.sqrt(square), dead }];
    return { step: at + 1, epoch: at + 1, loss, weights: measured, activations };
  });
}

function near(made: readonly HealthRecord[], wanted: readonly HealthRecord[], error = 1e-5): void {
  const numbers = (records: readonly HealthRecord[]): number[] =>
    records.flatMap(({ step, epoch, loss, weights, activations }) => [
      step,
      epoch,
      loss,
      ...weights.flatMap(({ size, gradientNorm, weightNorm, updateNorm }) => [
        size,
        gradientNorm,
        weightNorm,
        updateNorm,
      ]),
      ...activations.flatMap(({ mean, deviation, norm: rms, dead }) => [mean, deviation, rms, dead ?? -1]),
    ]);
  const names = (records: readonly HealthRecord[]) =>
    records.map(({ weights, activations }) => [
      ...weights.map(({ name }) => name),
      ...activations.map(({ layer }) => layer),
    ]);
  expect(names(made)).toEqual(names(wanted));
  const [a, b] = [numbers(made), numbers(wanted)];
  expect(a).toHaveLength(b.length);
  a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(error * Math.max(1, Math.abs(b[i]!))));
}

describe.each(engines)("the health of a training (%s)", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs' check for leaks counts the parts of a fused kernel that are kept for its gradient.
    tf.env().set("IS_TEST", false);
  });
  afterAll(() => tf.env().set("IS_TEST", true));

  const run = async (more: Partial<TrainOptions> = {}, every = 1): Promise<readonly HealthRecord[]> => {
    const health = trainingHealth({ every });
    const optimizer = { name: "momentum", learningRate: rate, momentum } as const;
    await train({ model: network(), data, epochs: 3, batch: count, optimizer, callbacks: [health], ...more });
    return health.records;
  };

  test.each(engine === "wasm" ? [true] : [false, true])("is that of plain loops, eager: %s", async (eager) => {
    const execution = { eager };
    const wanted = byLoops(3);
    near(await run({ execution }), wanted);
    near(await run({ execution }, 2), [wanted[0]!, wanted[2]!]);
    // Momentum 0.9 on the first gradient: the change is the rate times the gradient.
    const [{ gradientNorm, updateNorm, weightNorm } = expect.fail()] = wanted[0]!.weights;
    expect(updateNorm).toBeCloseTo(rate * gradientNorm, 10);
    expect(updateRatio({ updateNorm, weightNorm })).toBeCloseTo((rate * gradientNorm) / weightNorm, 10);
    expect(updateRatio({ updateNorm: 1, weightNorm: 0 })).toBeNaN();
  });

  test.skipIf(engine === "wasm")("in bfloat16, is that of plain loops as far as 8 bits tell it", async () => {
    const [records, wanted] = [await run({ epochs: 1, execution: { precision: "bfloat16" } }), byLoops(1)];
    near(records, wanted, 2 ** -7);
    // A copy of the weights in float32 takes the updates, so their norms are not rounded.
    const updates = (each: readonly HealthRecord[]) => each[0]!.weights.map(({ weightNorm }) => weightNorm);
    updates(records).forEach((value, i) => expect(value).toBeCloseTo(updates(wanted)[i]!, 5));
  });

  test("with accumulated gradients, is measured where the weights change", async () => {
    const [first] = byLoops(1);
    const records = await run({ epochs: 1, batch: 3, accumulate: 2 });
    expect(records.map(({ step }) => step)).toEqual([2]);
    // The update is that of the whole batch; the gradients are those of its second half.
    const updates = (each: HealthRecord) => each.weights.map(({ weightNorm, updateNorm }) => [weightNorm, updateNorm]);
    updates(records[0]!).forEach((row, w) =>
      row.forEach((value, i) => expect(value).toBeCloseTo(updates(first!)[w]![i]!, 5)),
    );
  });

  test("measuring changes no weight of a net with dropout", async () => {
    const after = async (callbacks: TrainOptions["callbacks"]): Promise<number[]> => {
      const model = smallNet({ dropout: 0.3 });
      const execution = { deterministic: true };
      await train({ model, data: halves(64), epochs: 2, batch: 8, seed: 4, callbacks, execution, restoreBest: false });
      return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    };
    const [plain, measured] = [await after([]), await after([trainingHealth({ every: 3, histograms: true })])];
    plain.forEach((value, i) => expect(Math.abs(value - measured[i]!)).toBeLessThan(1e-6));
  });
});

describe("files of a measured training", () => {
  beforeAll(() => useEngine(engines[0] ?? "wasm"));

  test("health.json and events hold the records; a resumed run goes on with them", async () => {
    const out = await mkdtemp(join(tmpdir(), "convkit-health-"));
    const options = { data: halves(32), batch: 8, seed: 4, out, restoreBest: false };
    const first = trainingHealth({ every: 3, histograms: true });
    await train({ ...options, model: smallNet(), epochs: 1, callbacks: [first, tensorBoard({ images: 0 })] });
    const second = trainingHealth({ every: 3 });
    await train({ ...options, model: smallNet(), epochs: 2, resume: true, callbacks: [second] });
    expect(first.records.map(({ step }) => step)).toEqual([1, 4]);
    expect(second.records.map(({ step }) => step)).toEqual([1, 4, 7]);
    near(await readHealth(join(out, "health.json")), second.records);
    near(second.records.slice(0, 2), first.records);
    expect(second.records[2]!.weights.map(({ name }) => name)).toEqual(
      smallNet().trainableWeights.map((weight) => expect.stringContaining(weight.originalName.replace(/^.*\//, ""))),
    );
    const folder = join(out, "tensorboard", "train");
    const tags: [number, readonly string[]][] = [];
    await trimEventFiles(folder, ({ step, tags: found }) => {
      if (found.some((tag) => tag.startsWith("health/"))) tags.push([step, found]);
      return true;
    });
    const steps = tags.map(([step]) => step);
    expect(steps).toEqual([1, 1, 4, 4]);
    expect(tags[0]![1]).toContain(`health/gradient_norm/${first.records[0]!.weights[0]!.name}`);
    expect(tags[0]![1]).toContain(`health/dead_units/${first.records[0]!.activations[0]!.layer}`);
    expect(tags[1]![1]).toEqual(first.records[0]!.weights.map(({ name }) => `health/gradients/${name}`));
    if (peerPython !== undefined) {
      // What TensorBoard's own reader finds for the first measured step.
      const found = JSON.parse(
        execFileSync(peerPython, ["-c", readEvents, folder], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      ) as Record<string, number | { num: number }>;
      const [record] = first.records;
      for (const { name, size, gradientNorm } of record!.weights) {
        expect(found[`health/gradient_norm/${name}`]).toBeCloseTo(gradientNorm, 5);
        expect(found[`health/gradients/${name}`]).toMatchObject({ num: size });
      }
      for (const { layer, dead } of record!.activations) {
        if (dead !== null) expect(found[`health/dead_units/${layer}`]).toBeCloseTo(dead, 6);
      }
    }
    expect((await readdir(out)).includes("health.json")).toBe(true);
    expect(JSON.parse(await readFile(join(out, "health.json"), "utf8")).steps).toHaveLength(3);
  });
});
