import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrays, fromGenerator } from "@convkit/datasets";
import { modelMetadata, setModelMetadata } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Callback,
  claimRunDirectory,
  evaluate,
  scheduleFactor,
  train,
  TrainerError,
  type TrainOptions,
} from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

const execution = { deterministic: true };
const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: smallNet(),
  data: { name: "halves", train: halves(64) },
  epochs: 2,
  batch: 16,
  optimizer: { name: "sgd", learningRate: 0.1 },
  preprocessing: { scale: 1 / 255 },
  execution,
  ...more,
});

/** Three images of four pixels whose logits are worked out below. */
const images = Float32Array.of(1, 2, 3, 4, -1, 0, 1, 2, 3, -2, 0, 1);
const kernel = [0.5, -1, 0.25, 1, 0, -0.5, 2, 1, -1, 0.5, 0.75, 1];
const data = fromArrays({ images, shape: [2, 2, 1], labels: [2, 0, 1], classes: ["a", "b", "c"] });
const logits = [0, 1, 2].map((n) =>
  [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((sum, p) => sum + images[n * 4 + p]! * kernel[p * 3 + c]!, 0)),
);
/** Cross-entropy of the softmax of the logits, in float64. */
const crossEntropy =
  logits.reduce((sum, row, n) => {
    const total = row.reduce((all, logit) => all + Math.exp(logit), 0);
    return sum + Math.log(total) - row[[2, 0, 1][n]!]!;
  }, 0) / 3;

describe("the loss is that of one softmax, wherever it lies", () => {
  const dense = (activation: "softmax" | "linear") =>
    tfl.layers.dense({ units: 3, activation, useBias: false, weights: [tf.tensor2d(kernel, [4, 3])] });
  const body = () => {
    const input = tfl.input({ shape: [2, 2, 1] });
    return { input, flat: tfl.layers.flatten().apply(input) as tfl.SymbolicTensor };
  };
  const model = (end: (flat: tfl.SymbolicTensor) => unknown) => {
    const { input, flat } = body();
    return tfl.model({ inputs: input, outputs: end(flat) as tfl.SymbolicTensor });
  };
  const classifier = () => tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [4] }), dense("softmax")] });
  const models: Record<string, () => tfl.LayersModel> = {
    "in the last layer": () => model((x) => dense("softmax").apply(x)),
    "left out": () => model((x) => dense("linear").apply(x)),
    "in a layer of its own": () => model((x) => tfl.layers.softmax().apply(dense("linear").apply(x))),
    "in an activation layer": () =>
      model((x) => tfl.layers.activation({ activation: "softmax" }).apply(dense("linear").apply(x))),
    "in a nested model": () => model((x) => classifier().apply(x)),
    "in a nested model of a sequential model": () => {
      const nested = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 1] })] });
      nested.add(classifier());
      return nested;
    },
    "before a reshape": () => model((x) => tfl.layers.reshape({ targetShape: [3] }).apply(dense("softmax").apply(x))),
    "behind a nested model": () => {
      const bare = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [4] }), dense("linear")] });
      return model((x) => tfl.layers.activation({ activation: "softmax" }).apply(bare.apply(x)));
    },
    "before layers that keep probabilities": () =>
      model((x) => tfl.layers.average().apply([classifier().apply(x), classifier().apply(x)] as tfl.SymbolicTensor[])),
  };
  test.each(Object.keys(models))("%s", async (where) => {
    const made = models[where]!();
    const before = made.layers.map((layer) => (layer as { activation?: unknown }).activation);
    expect((await evaluate(made, data)).loss).toBeCloseTo(crossEntropy, 5);
    const { history } = await train({ model: made, data: { name: "x", train: data }, epochs: 1, batch: 3 });
    expect(history[0]!.loss).toBeCloseTo(crossEntropy, 5);
    expect(made.layers.map((layer) => (layer as { activation?: unknown }).activation)).toEqual(before);
  });

  test("the loss of saturated logits stays exact", async () => {
    const made = model((x) => classifier().apply(x));
    const steep = made.layers.at(-1) as tfl.LayersModel;
    steep.setWeights([
      tf.tensor2d(
        kernel.map((value) => value * 100),
        [4, 3],
      ),
    ]);
    const largest = logits.map((row, n) => Math.max(...row) * 100 - row[[2, 0, 1][n]!]! * 100);
    expect((await evaluate(made, data)).loss).toBeCloseTo(largest.reduce((a, b) => a + b) / 3, 2);
  });
});

test("a frozen batch normalization uses its moving statistics, and keeps them", async () => {
  const input = tfl.input({ shape: [2, 2, 1] });
  const flat = tfl.layers.flatten().apply(input);
  const norm = tfl.layers.batchNormalization({ trainable: false, epsilon: 1e-3 });
  const head = tfl.layers.dense({ units: 3, activation: "softmax", useBias: false });
  const outputs = head.apply(norm.apply(flat)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs });
  // Variance 1 - epsilon and mean 0: the layer computes its input again.
  norm.setWeights([tf.ones([4]), tf.zeros([4]), tf.zeros([4]), tf.fill([4], 1 - 1e-3)]);
  head.setWeights([tf.tensor2d(kernel, [4, 3])]);
  const { history } = await train({ model, data: { name: "x", train: data }, epochs: 1, batch: 3 });
  expect(history[0]!.loss).toBeCloseTo(crossEntropy, 4);
  const [, , mean, variance] = norm.getWeights().map((weight) => [...weight.dataSync()]);
  expect([mean, variance]).toEqual([[0, 0, 0, 0], Array.from({ length: 4 }, () => Math.fround(1 - 1e-3))]);
});

test("the best epoch's weights come back to their layers after a layer was thawed", async () => {
  const layers = [1, 2].map((seed) =>
    tfl.layers.dense({ units: 64, activation: "relu", kernelInitializer: tfl.initializers.glorotUniform({ seed }) }),
  );
  const head = tfl.layers.dense({ units: 2, activation: "softmax" });
  const model = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [8, 8, 1] }), ...layers, head] });
  layers[0]!.trainable = false;
  const frozen = [...layers[0]!.getWeights()[0]!.dataSync()];
  let atThaw: number[] = [];
  const thaw: Callback = {
    async onEpochEnd(epoch) {
      if (epoch !== 2) return;
      atThaw = [...layers[0]!.getWeights()[0]!.dataSync()];
      layers[0]!.trainable = true;
    },
  };
  const validation = halves(32, { first: 500 });
  const given = options({
    model,
    epochs: 4,
    callbacks: [thaw],
    data: { name: "halves", train: halves(64), validation },
  });
  const { best } = await train(given);
  expect(atThaw).toEqual(frozen);
  // From the next epoch on it is trained.
  expect(best!.epoch).toBeGreaterThan(2);
  expect([...layers[0]!.getWeights()[0]!.dataSync()]).not.toEqual(frozen);
  expect((await evaluate(model, validation, { execution })).loss).toBeCloseTo(best!.valLoss!, 6);
});

test("preprocessing, classes and output weights come from the model and stay with it", async () => {
  const scaled = options({ model: setModelMetadata(smallNet(), { preprocessing: { scale: 1 / 255 } }) });
  const { preprocessing: _, ...rest } = scaled;
  const [own, given] = [await train(rest), await train(options())];
  expect(own.history.map(({ loss }) => loss)).toEqual(given.history.map(({ loss }) => loss));
  expect(modelMetadata(scaled.model)).toMatchObject({ classes: ["left", "right"], preprocessing: { scale: 1 / 255 } });
  const evaluated = await evaluate(scaled.model, halves(64), { execution });
  const byHand = await evaluate(scaled.model, halves(64), { execution, preprocessing: { scale: 1 / 255 } });
  expect(evaluated.loss).toBe(byHand.loss);
  const turned = fromArrays({
    images: new Uint8Array(256),
    shape: [8, 8, 1],
    labels: [0, 1, 0, 1],
    classes: ["right", "left"],
  });
  await expect(train(options({ model: scaled.model, data: { name: "x", train: turned } }))).rejects.toThrow(
    /tells apart left, right, but .* has the classes right, left/,
  );
});

test("classes are matched by name: in another order, and only some of them", async () => {
  const model = setModelMetadata(smallNet(), { preprocessing: { scale: 1 / 255 } });
  await train(options({ model, epochs: 4 }));
  const set = halves(40, { first: 1000 });
  const pixels = new Uint8Array(40 * 64);
  for await (const { images: all } of set.batches({ batch: 40 })) pixels.set(all as Uint8Array);
  const labels = Array.from(set.labels, (label) => 1 - label);
  const turned = fromArrays({ images: pixels, shape: [8, 8, 1], labels, classes: ["right", "left"] });
  const [straight, matched] = [await evaluate(model, set, { execution }), await evaluate(model, turned, { execution })];
  // With the labels by number, it would be 0.3.
  expect(straight.accuracy).toBeCloseTo(0.7, 10);
  expect([matched.accuracy, matched.loss]).toEqual([straight.accuracy, straight.loss]);
  const other = fromArrays({ images: pixels, shape: [8, 8, 1], labels, classes: ["up", "left"] });
  await expect(evaluate(model, other, { execution })).rejects.toThrow(/"left", "right".*"up", "left".*"up"/);
});

test.each<[string, Partial<TrainOptions>, RegExp]>([
  ["batch", { batch: 32 }, /expected batch 16, got 32/],
  ["optimizer", { optimizer: "adam" }, /expected optimizer .*"sgd".*, got .*"adam"/],
  ["ema", { ema: 0.9 }, /expected ema not given, got 0\.9/],
  ["accumulate", { accumulate: 2 }, /expected accumulate 1, got 2/],
  ["number of threads", { execution: { ...execution, threads: 3 } }, /expected threads not given, got 3.*anyMachine/],
  ["execution", { execution: { ...execution, eager: true } }, /expected eager false, got true/],
])("a resumed run refuses another %s", async (_title, change, message) => {
  const out = await mkdtemp(join(tmpdir(), "convkit-resumed-"));
  await train(options({ out, epochs: 1 }));
  await expect(train(options({ out, resume: true, ...change }))).rejects.toThrow(message);
});

test("a resumed run keeps its threads, and takes other ones only if told to", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-threads-"));
  const wanted = options({ epochs: 3, execution: { ...execution, threads: 1 } });
  await train(wanted);
  await train(options({ out, epochs: 1, execution: { ...execution, threads: 1 } }));
  const kept = options({ out, epochs: 2, resume: true });
  await train(kept);
  const two = { ...execution, threads: 2 };
  await expect(train(options({ out, epochs: 3, resume: true, execution: two }))).rejects.toThrow(
    /expected threads 1, got 2.*anyMachine: true/,
  );
  const other = options({ out, epochs: 3, resume: { anyMachine: true }, execution: two });
  await train(other);
  const [got, values] = [other, wanted].map(({ model }) => model.getWeights().flatMap((each) => [...each.dataSync()]));
  for (const [i, value] of values!.entries()) expect(got![i]).toBeCloseTo(value, 4);
});

test.each<[string, Partial<TrainOptions>, RegExp]>([
  ["resume without a directory", { resume: true }, /^resume needs the run directory: give out as well\.$/],
  ["a seed that is no whole number", { seed: 1.5 }, /^seed must be a whole number from 0, not 1\.5\.$/],
  ["a mistyped way to resume", { out: "x", resume: { anyEngine: true } as never }, /^resume has no anyEngine/],
  ["no truth value", { restoreBest: "no" as never }, /^restoreBest must be true or false, not "no"\.$/],
])("%s is refused", async (_title, given, message) => {
  await expect(train(options(given))).rejects.toThrow(message);
});

test("a directory with a run is not overwritten, and a running one is not shared", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-taken-"));
  const second = { onEpochEnd: () => train(options({ out, epochs: 1 })) as Promise<never> };
  await expect(train(options({ out, epochs: 1, callbacks: [second] }))).rejects.toThrow(/is in use by another run/);
  const history = await readFile(join(out, "history.csv"), "utf8");
  await expect(train(options({ out, epochs: 1 }))).rejects.toThrow(/already holds a run/);
  expect(await readFile(join(out, "history.csv"), "utf8")).toBe(history);
});

test("a run whose directory another process has taken over stops, and writes nothing more", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-lost-"));
  const claim = await claimRunDirectory(out, { fresh: true });
  const lost = new AbortController();
  const taken = {
    ...claim,
    lost: lost.signal,
    check() {
      if (lost.signal.aborted) throw new TrainerError("lost");
    },
  };
  const seen: string[] = [];
  const files = async () => (await readdir(out, { recursive: true })).toSorted().join();
  let before = "";
  const callback: Callback = {
    async onTrainBatchEnd(_batch, _logs, { step }) {
      seen.push(`step ${step}`);
      if (step !== 6) return;
      before = await files();
      lost.abort();
    },
    onEpochEnd: (epoch) => void seen.push(`epoch ${epoch}`),
    onTrainEnd: () => void seen.push("end"),
  };
  await expect(train(options({ out, claim: taken, epochs: 3, callbacks: [callback] }))).rejects.toThrow(/^lost$/);
  expect(seen).toEqual(["step 1", "step 2", "step 3", "step 4", "epoch 1", "step 5", "step 6"]);
  expect(await files()).toBe(before);
  await claim.release();
});

test("seconds and timings of a resumed run count all its processes", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-times-"));
  const first = await train(options({ out, epochs: 1 }));
  const began = performance.now();
  const second = await train(options({ out, resume: true }));
  const elapsed = (performance.now() - began) / 1000;
  expect(second.timings.first).toBeGreaterThan(first.timings.first);
  // What the first process did after its last checkpoint is not known to the second one.
  const inEpochs = second.history.reduce((sum, { seconds }) => sum + seconds, 0);
  expect(second.history).toHaveLength(2);
  expect(second.seconds).toBeGreaterThanOrEqual(inEpochs);
  expect(second.seconds).toBeLessThanOrEqual(first.seconds + elapsed);
});

test("checkpoints of the best epochs pass a first NaN, and keep must be at least 1", async () => {
  const out = await mkdtemp(join(tmpdir(), "convkit-best-"));
  const sets = [3e38, 0.5, 1.5, 0.5].map((size) =>
    fromArrays({
      images: Float32Array.from({ length: 8 * 12 }, (_, i) => {
        const side = size > 1e38 ? 1 : Math.floor(i / 12) % 2 === 0 ? -1 : 1;
        return size * side * (i % 2 === 0 ? 1 : -1);
      }),
      shape: [2, 2, 3],
      labels: Array.from({ length: 8 }, (_, i) => i % 2),
    }),
  );
  let turn = 0;
  const validation = { ...sets[1]!, batches: (given: { batch: number }) => sets[turn]!.batches(given) };
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 3 });
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [2, 2, 3] }),
      tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer }),
    ],
  });
  const given: TrainOptions = {
    model,
    data: { name: "x", train: sets[1]!, validation },
    epochs: 4,
    out,
    preprocessing: { scale: 2 },
    optimizer: { name: "sgd", learningRate: 0.5 },
    checkpoints: { keep: 1, keepBest: 1 },
    callbacks: [{ onEpochEnd: () => void (turn += 1) }],
  };
  const { history, best } = await train(given);
  expect(history[0]!.valLoss).toBeNaN();
  expect(best!.epoch).toBe(3);
  expect((await readdir(join(out, "checkpoints"))).toSorted()).toEqual(["step-00000003", "step-00000004"]);
  await expect(train({ ...given, checkpoints: { keep: 0 } })).rejects.toThrow(
    /^checkpoints\.keep must be a whole number from 1, not 0\.$/,
  );
});

test("a schedule needs the size of an epoch, and a mistyped option is refused with the near name", async () => {
  const unsized = fromGenerator({
    samples: function* () {
      yield { image: new Uint8Array(64), label: 0 };
    },
    shape: [8, 8, 1],
    classes: ["left", "right"],
  });
  const given = { data: { name: "g", train: unsized }, schedule: { name: "cosine", warmup: 1 } } as const;
  await expect(train(options(given))).rejects.toThrow(/^The schedule cosine counts in epochs, but generator does not/);
  await expect(train(options({ batchSize: 8 } as object))).rejects.toThrow(/got "batchSize"\. Did you mean "batch"\?$/);
});

test("staircases fall at the step where the arithmetic says", () => {
  const at = (step: number) => ({ step, stepsPerEpoch: 10, epochs: 10 });
  const staircase = { name: "exponential", rate: 0.5, staircase: true, warmup: 0.1 } as const;
  for (let step = 1; step < 100; step += 1) {
    expect(scheduleFactor(staircase, at(step)), `step ${step}`).toBe(0.5 ** Math.floor((step - 1) / 10));
    expect(scheduleFactor({ name: "step", every: 0.1, factor: 0.5 }, at(step)), `step ${step}`).toBe(0.5 ** step);
  }
});
