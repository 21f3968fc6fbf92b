import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelMetadata } from "@convkit/core";
import type { Batch, Dataset, DataSplits } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { loadModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Callback,
  claimRunDirectory,
  earlyStopping,
  evaluate,
  planAugmentation,
  readHistory,
  reduceOnPlateau,
  train,
  type TrainOptions,
} from "../src/index.ts";
import { readCheckpoint, writeCheckpoint } from "../src/run/checkpoint.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

const preprocessing = { scale: 1 / 255 };
const folder = () => mkdtemp(join(tmpdir(), "convkit-run-"));
const data = () => ({ name: "halves", train: halves(70), validation: halves(30, { first: 1000 }) });
// Threads change the order of sums: bits are compared with deterministic ops.
const execution = { deterministic: true };

function weightsOf(model: tfl.LayersModel): number[][] {
  return model.getWeights().map((weight) => [...weight.dataSync()]);
}

/** CPUs convolve no float16. */
const denseNet = () =>
  tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [8, 8, 1] }),
      tfl.layers.dense({
        units: 2,
        activation: "softmax",
        kernelInitializer: tfl.initializers.glorotUniform({ seed: 1 }),
      }),
    ],
  });

type SplitOptions = TrainOptions & { readonly data: DataSplits };

function options(more: Partial<SplitOptions> = {}): SplitOptions {
  return {
    model: smallNet(),
    data: data(),
    epochs: 3,
    batch: 16,
    seed: 7,
    optimizer: { name: "adam", learningRate: 0.01 },
    preprocessing,
    execution,
    ...more,
  };
}

describe(`training (${engines[0]})`, () => {
  test("learns, writes its run directory, and ends with the best weights", async () => {
    const out = await folder();
    const { model, ...rest } = options({ out, epochs: 4 });
    const result = await train({ model, ...rest });
    expect(result).toMatchObject({ run: out, epochs: 4, steps: 20, interrupted: false });
    expect(result.final!.accuracy).toBeGreaterThan(0.9);
    const bestLoss = Math.min(...result.history.map(({ valLoss }) => valLoss!));
    expect(result.best!.valLoss).toBe(bestLoss);
    expect(await readHistory(join(out, "history.csv"))).toEqual(result.history);
    expect((await readFile(join(out, "history.csv"), "utf8")).split("\n")[0]).toBe(
      "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds",
    );
    const saved = await loadModel(join(out, "model"));
    const metadata = { name: "small-net", classes: ["left", "right"], preprocessing };
    expect([modelMetadata(model), modelMetadata(saved)]).toEqual([metadata, metadata]);
    expect(weightsOf(saved)).toEqual(weightsOf(model));
    const evaluation = await evaluate(saved, rest.data.validation!, { execution });
    expect(evaluation.loss).toBeCloseTo(bestLoss, 5);
    expect(evaluation.accuracy).toBe(result.best!.valAccuracy);
  });

  test("the same seed gives the same run, another seed another", async () => {
    const runs = [];
    for (const seed of [7, 7, 8]) {
      const each = options({ seed, model: smallNet({ dropout: 0.3 }) });
      const { history } = await train(each);
      runs.push({ losses: history.map(({ loss, valLoss }) => [loss, valLoss]), weights: weightsOf(each.model) });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  const plain = () => ({});
  const everything = (): Partial<SplitOptions> => ({
    optimizer: { name: "adamw", learningRate: 0.01, weightDecay: 0.01, globalClipNorm: 1 },
    augment: planAugmentation({ flip: "horizontal", brightness: 0.2, mixup: 0.2 }, 2),
    classWeights: [0.5, 2],
    accumulate: 3,
    ema: 0.9,
  });
  describe.each([
    ["at the end of an epoch", 10, plain],
    ["in the middle of an epoch", 7, plain],
    ["at the end of an epoch with everything", 10, everything],
    ["in the middle of an epoch with everything", 7, everything],
  ])("a run stopped %s (step %i)", (_title, at, more) => {
    test("and resumed ends with the weights of one that never stopped", async () => {
      const make = () =>
        options({
          model: smallNet({ dropout: 0.3 }),
          epochs: 4,
          schedule: { name: "cosine", warmup: 1 },
          callbacks: [reduceOnPlateau({ patience: 1 }), earlyStopping({ patience: 3 })],
          ...more(),
        });
      const whole = make();
      const want = await train(whole);
      const out = await folder();
      const controller = new AbortController();
      const stopper: Callback = {
        onTrainBatchEnd: (_batch, _logs, training) => void (training.step === at && controller.abort()),
      };
      const first = make();
      const stopped = await train({
        ...first,
        out,
        signal: controller.signal,
        callbacks: [...first.callbacks!, stopper],
      });
      expect(stopped.interrupted).toBe(true);
      expect(stopped.steps).toBe(at);
      const second = make();
      // What the process had in memory is gone.
      second.model.setWeights(second.model.getWeights().map((weight) => tf.zerosLike(weight)));
      const resumed = await train({ ...second, out, resume: true });
      expect(weightsOf(second.model)).toEqual(weightsOf(whole.model));
      const seconds = (rows: readonly { seconds: number }[]) => rows.map(({ seconds: _seconds, ...row }) => row);
      expect(seconds(resumed.history)).toEqual(seconds(want.history));
    });
  });

  test.skipIf(!engines.includes("native"))(
    "a run in float16 scales its loss, goes on with that scale, and leaves out updates that overflow",
    async () => {
      const out = await folder();
      const half = { precision: "float16", deterministic: true } as const;
      const checkpoint = async () => {
        const [name] = await readdir(join(out, "checkpoints"));
        const path = join(out, "checkpoints", name!);
        const header = JSON.parse(await readFile(join(path, "checkpoint.json"), "utf8")) as {
          arrays: { name: string; offset: number; bytes: number }[];
        };
        const file = join(path, "arrays.bin");
        const bytes = await readFile(file);
        const [scale, good] = ["scale/0", "scale/1"].map((wanted) =>
          header.arrays.find(({ name }) => name === wanted)!,
        );
        const weights = header.arrays.filter(({ name }) => name.startsWith("model/"));
        return {
          scale: [bytes.readFloatLE(scale!.offset), bytes.readFloatLE(good!.offset)],
          weights: weights.map((each) => bytes.subarray(each.offset, each.offset + each.bytes).toString("hex")),
          async setScale(value: number) {
            const folder = join(out, "checkpoints");
            const whole = await readCheckpoint(folder, Number(name!.slice("step-".length)));
            whole.arrays.find(({ name }) => name === "scale/0")!.data[0] = value;
            await writeCheckpoint(folder, whole);
          },
        };
      };
      const goOn = (epochs: number) =>
        train(options({ model: denseNet(), epochs, execution: half, out, resume: true }));
      await train(options({ model: denseNet(), epochs: 1, execution: half, out }));
      const first = await checkpoint();
      expect(first.scale).toEqual([2 ** 15, 5]);
      // Another scale than any run begins with.
      await first.setScale(8);
      await goOn(2);
      const second = await checkpoint();
      expect(second.scale).toEqual([8, 10]);
      expect(second.weights).not.toEqual(first.weights);
      // With this one no gradient is finite: each step halves it, and changes no weight.
      await second.setScale(2 ** 120);
      await goOn(3);
      const third = await checkpoint();
      expect(third.scale).toEqual([2 ** 115, 0]);
      expect(third.weights).toEqual(second.weights);
    },
  );

  test("a run that was killed before its first checkpoint begins anew", async () => {
    const whole = options();
    await train(whole);
    const out = await folder();
    const again = options({ out, resume: true });
    expect(await train(again)).toMatchObject({ epochs: 3, steps: 15 });
    expect(weightsOf(again.model)).toEqual(weightsOf(whole.model));
  });

  test("an interruption in the first epoch leaves a loadable model", async () => {
    const out = await folder();
    const controller = new AbortController();
    const given = options({
      out,
      signal: controller.signal,
      callbacks: [{ onTrainBatchEnd: () => controller.abort() }],
    });
    const result = await train(given);
    expect(result).toMatchObject({ interrupted: true, steps: 1, epochs: 0, best: undefined });
    expect(weightsOf(await loadModel(join(out, "model")))).toEqual(weightsOf(given.model));
  });

  test("early stopping ends the run, and the best weights come back", async () => {
    // So large a rate that it soon gets worse.
    const given = options({
      epochs: 40,
      optimizer: { name: "sgd", learningRate: 3 },
      callbacks: [earlyStopping({ patience: 2 })],
    });
    const result = await train(given);
    expect(result.epochs).toBeLessThan(40);
    expect(result.stopReason).toBe("valLoss has not improved for 2 epochs");
    expect(result.epochs - result.best!.epoch).toBe(2);
    const evaluation = await evaluate(given.model, given.data.validation!, { preprocessing, execution });
    expect(evaluation.loss).toBeCloseTo(result.best!.valLoss!, 5);
  });

  describe.each([
    ["as one graph", {}],
    ["op by op", { eager: true }],
  ])("a loss that is not finite ends the run (%s)", (_title, more) => {
    // tfjs counts tensors kernel by kernel in tests, and miscounts those of tfjs-node.
    beforeAll(() => tf.env().set("IS_TEST", false));
    afterAll(() => tf.env().set("IS_TEST", true));

    test("and is traced to the layer that overflowed, with the weights as they were before", async () => {
      const model = smallNet();
      // The scale of the norm, which makes 1e38 of 1 or so, and the next layer more than float32 holds.
      const [, ...others] = model.layers[2]!.getWeights();
      model.layers[2]!.setWeights([tf.fill([4], 3e38), ...others]);
      const before = weightsOf(model)[0];
      const result = await train(options({ model, execution: { ...execution, ...more } }));
      expect(result).toMatchObject({ diverged: true, steps: 0 });
      const norm = model.layers[2]!.name;
      expect(result.stopReason).toBe(
        `the loss of step 1 is not finite: the first layer whose output is not finite is ${norm}`,
      );
      expect(weightsOf(model)[0]).toEqual(before);
    });

    test("and is traced to the update that spoilt weights", async () => {
      const result = await train(
        options({
          optimizer: { name: "sgd", learningRate: 1e39 },
          stepsPerCall: 2,
          execution: more,
        }),
      );
      expect(result).toMatchObject({ diverged: true, interrupted: false });
      expect(result.stopReason).toMatch(
        /^the loss of one of the steps 1 to 2 is not finite: the first layer whose output is not finite is \S+, since the update before spoilt the weights of \S+ and of layers before it$/,
      );
    });
  });

  test("hooks are called in Keras' order with what they need", async () => {
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(name);
    const callback: Callback = {
      onTrainBegin: note("train begin"),
      onEpochBegin: (epoch) => void calls.push(`epoch ${epoch} begin`),
      onTrainBatchBegin: (batch) => void calls.push(`batch ${batch} begin`),
      onTrainBatchEnd: (batch, { size }) => void calls.push(`batch ${batch} end, ${size}`),
      onTestBegin: note("test begin"),
      onTestBatchBegin: note("test batch begin"),
      onTestBatchEnd: note("test batch end"),
      onTestEnd: note("test end"),
      onEpochEnd: (epoch, logs) => void calls.push(`epoch ${epoch} end, ${Object.keys(logs).toSorted().join(" ")}`),
      onTrainEnd: note("train end"),
    };
    await train(options({ epochs: 1, batch: 50, callbacks: [callback] }));
    expect(calls).toEqual([
      "train begin",
      "epoch 1 begin",
      "batch 0 begin",
      "batch 0 end, 50",
      "batch 1 begin",
      "batch 1 end, 20",
      "test begin",
      "test batch begin",
      "test batch end",
      "test end",
      "epoch 1 end, accuracy epoch loss lr seconds valAccuracy valLoss",
      "train end",
    ]);
  });

  test("one output learns yes and no, and class weights bend it", async () => {
    const plain = options({ model: smallNet({ outputs: 1 }), epochs: 6 });
    const result = await train(plain);
    expect(result.best!.valAccuracy).toBeGreaterThan(0.9);
    const bent = options({ model: smallNet({ outputs: 1 }), epochs: 6, classWeights: [1, 0] });
    await train(bent);
    const evaluation = await evaluate(bent.model, bent.data.validation!, { preprocessing, execution });
    // Only images of the first class count, so all are called that.
    expect(evaluation.confusion).toEqual([
      [15, 0],
      [15, 0],
    ]);
  });
});

/** Two images as somebody's own data set may give them, unchecked. */
function stray(batch: Partial<Batch>): Dataset {
  const whole: Batch = {
    images: new Float32Array(128),
    shape: [2, 8, 8, 1],
    labels: Int32Array.of(0, 1),
    indices: Int32Array.of(0, 1),
    ...batch,
  };
  return {
    name: "stray",
    classes: ["left", "right"],
    shape: [8, 8, 1],
    dtype: "float32",
    size: 2,
    async *batches() {
      yield whole;
    },
  };
}

describe("data that cannot train the model is refused before the first step", () => {
  const refusals: [string, () => Partial<SplitOptions>, RegExp][] = [
    [
      "another image size",
      () => ({ model: smallNet(), data: { name: "x", train: halves(4).select([]) } }),
      /^halves has no images to train on\.$/,
    ],
    [
      "too few outputs",
      () => ({ model: smallNet({ outputs: 3 }) }),
      /^halves has 2 classes but small-net has 3 outputs\.$/,
    ],
    [
      "one class only",
      () => ({ data: { name: "x", train: halves(8).select([0, 2, 4]) } }),
      /^All 3 images of halves are of the class left; there must be at least two/,
    ],
    [
      "a validation split that leaves nothing",
      () => ({ data: { name: "x", train: halves(8), validation: halves(8).select([]) } }),
      /^halves leaves no images for validation\.$/,
    ],
    [
      "a binary loss for two outputs of one",
      () => ({ model: smallNet({ outputs: 1 }), loss: "categorical-crossentropy" }),
      /^The model has one output, so its loss must be binary-crossentropy or focal/,
    ],
    [
      "a label out of range",
      () => ({ data: { name: "x", train: { ...halves(8), labels: Int32Array.of(0, 1, 0, 1, 0, 1, 0, 2) } } }),
      /^halves has the label 2, but its 2 classes are numbered 0 to 1\.$/,
    ],
    [
      "a label out of range in a batch",
      () => ({ data: { name: "x", train: stray({ labels: Int32Array.of(0, -1) }) } }),
      /^stray: image 1 has the label -1, but there are 2 classes, 0 to 1\.$/,
    ],
    [
      "a pixel that is not a number",
      () => ({ data: { name: "x", train: stray({ images: new Float32Array(128).fill(Number.NaN, 70, 71) }) } }),
      /^stray: image 1 has a pixel that is NaN; every value must be a finite number\.$/,
    ],
    ["an unknown loss", () => ({ loss: "hinge" as "focal" }), /^Unknown loss "hinge": known are sparse-categorical/],
    [
      "an unknown schedule",
      () => ({ schedule: { name: "sine" } as unknown as { name: "constant" } }),
      /^Unknown schedule "sine": known are constant/,
    ],
    [
      "an unknown value to watch",
      () => ({ monitor: "auc" as "loss" }),
      /^Unknown monitor "auc": known are loss, accuracy/,
    ],
    [
      "counts that are none",
      () => ({ epochs: 0, accumulate: 1.5 }),
      /^epochs must be a whole number from 1, not 0\. accumulate must be a whole number from 1, not 1\.5\.$/,
    ],
    ["an average that forgets nothing", () => ({ ema: 1 }), /^ema must be a number from 0 to below 1, not 1\.$/],
    [
      "weights for other classes",
      () => ({ classWeights: [1, 2, 3] }),
      /^classWeights must have one number for each class, 2 in all, but has 3\.$/,
    ],
    [
      "a weight of an image that is not a number",
      () => ({ sampleWeights: new Float32Array(70).fill(Number.NaN, 9) }),
      /^sampleWeights must be numbers from 0, but number 9 is NaN\.$/,
    ],
    [
      "weights for other outputs",
      () => ({ outputWeights: [] }),
      /^outputWeights must have one number for each output of the model, 1 in all, but has 0\.$/,
    ],
    [
      "options that an optimizer does not have",
      () => ({ optimizer: { name: "adam", learningRate: -1, beta: 0.9 } as { name: "adam" } }),
      /^optimizer\.learningRate must be a number from 0, not -1\. optimizer has no beta: it may have learningRate, /,
    ],
    [
      "a plateau of validation without validation data",
      () => ({ data: { name: "halves", train: halves(10) }, callbacks: [reduceOnPlateau()] }),
      /^Cannot watch valLoss: the run has no validation data; give some, or watch "loss" or "accuracy"\.$/,
    ],
    ["an unknown optimizer", () => ({ optimizer: "speedy" as "sgd" }), /^Unknown optimizer "speedy": known are sgd/],
  ];
  test.each(refusals)("%s", async (_title, more, message) => {
    let steps = 0;
    const counting: Callback = { onTrainBatchEnd: () => void (steps += 1) };
    await expect(train(options({ ...more(), callbacks: [counting, ...(more().callbacks ?? [])] }))).rejects.toThrow(
      message,
    );
    expect(steps).toBe(0);
  });
});

describe("images that cannot be read", () => {
  const without = (data: Dataset, left: (place: number) => boolean): Dataset => ({
    ...data,
    async *batches(given) {
      let place = 0;
      for await (const batch of data.batches(given)) if (!left(place++)) yield batch;
    },
  });
  test("a batch of them alone does not end the run", async () => {
    const { history } = await train(
      options({ data: { name: "halves", train: without(halves(70), (place) => place === 1) }, epochs: 2 }),
    );
    expect(history).toHaveLength(2);
  });
  test("a run stopped after a batch of them goes on with the batch after the last one", async () => {
    const { train: digits } = data();
    // What it was stopped after is the third batch, the second that came.
    const broken: Dataset = {
      ...digits,
      async *batches(given) {
        for await (const batch of digits.batches(given)) if (batch.place !== 1) yield batch;
      },
    };
    const seen: number[] = [];
    const watched: Dataset = {
      ...broken,
      async *batches(given) {
        for await (const batch of broken.batches(given)) {
          seen.push(batch.place!);
          yield batch;
        }
      },
    };
    const out = await folder();
    const controller = new AbortController();
    const stopper: Callback = {
      onTrainBatchEnd: (_batch, _logs, training) => void (training.step === 2 && controller.abort()),
    };
    const run = { data: { name: "halves", train: watched }, epochs: 1, out };
    await train(options({ ...run, signal: controller.signal, callbacks: [stopper] }));
    seen.length = 0;
    const { history, steps } = await train(options({ ...run, resume: true }));
    expect([seen, history.length, steps]).toEqual([[3, 4], 1, 4]);
  });
  test("a pass over them alone is refused", async () => {
    const none = without(halves(70), () => true);
    await expect(train(options({ data: { name: "halves", train: none } }))).rejects.toThrow(
      /^No image of halves can be read\.$/,
    );
    await expect(evaluate(smallNet(), none, { preprocessing })).rejects.toThrow(/^No image of halves can be read\.$/);
  });
});

test("what a killed run left half written goes when the directory is taken up", async () => {
  const out = await folder();
  await train(options({ out, epochs: 1 }));
  const whole = (await readdir(out, { recursive: true })).toSorted();
  await mkdir(join(out, "checkpoints", ".step-00000007.99-1.tmp"));
  for (const half of [
    "checkpoints/.step-00000007.99-1.tmp/arrays.bin",
    "model/.weights-0.bin.99-2.tmp",
    ".config.json.99-3.tmp",
  ])
    await writeFile(join(out, half), "half");
  const { release } = await claimRunDirectory(out, { fresh: false });
  await release();
  expect((await readdir(out, { recursive: true })).toSorted()).toEqual(whole);
});

test("a checkpoint that was whole when its writer was killed is taken up, at its place or about to be", async () => {
  const out = await folder();
  const whole = options({ epochs: 3 });
  await train(whole);
  await train(options({ out, epochs: 2 }));
  const [name] = await readdir(join(out, "checkpoints"));
  await rename(join(out, "checkpoints", name!), join(out, "checkpoints", `.${name}.99-2.tmp`));
  const { release } = await claimRunDirectory(out, { fresh: false });
  await release();
  expect(await readdir(join(out, "checkpoints"))).toEqual([name]);
  const resumed = options({ out, epochs: 3, resume: true });
  await train(resumed);
  expect(weightsOf(resumed.model)).toEqual(weightsOf(whole.model));
});

test("a run that early stopping ended does not go on when it is resumed", async () => {
  const out = await folder();
  const make = (more: Partial<SplitOptions> = {}) =>
    options({ out, epochs: 9, callbacks: [earlyStopping({ minDelta: 100, patience: 2 })], ...more });
  const ended = await train(make());
  const resumed = await train(make({ resume: true }));
  expect([ended.epochs, ended.stopReason]).toEqual([3, "valLoss has not improved for 2 epochs"]);
  expect([resumed.epochs, resumed.stopReason]).toEqual([ended.epochs, ended.stopReason]);
});

test("what the best epoch was is what the checkpoint says, not what a killed epoch left", async () => {
  const out = await folder();
  const first = await train(options({ out, epochs: 1 }));
  const model = await readdir(join(out, "model"));
  const kept = await mkdtemp(join(tmpdir(), "convkit-kept-"));
  await cp(join(out, "checkpoints"), kept, { recursive: true });
  const [weights] = model.filter((name) => name.endsWith(".bin"));
  const bytes = await readFile(join(out, "model", weights!));
  await train(options({ out, epochs: 2, resume: true }));
  // As if the second epoch had been killed between its model and its checkpoint.
  await rm(join(out, "checkpoints"), { recursive: true });
  await cp(kept, join(out, "checkpoints"), { recursive: true });
  await writeFile(join(out, "model", weights!), bytes);
  const resumed = await train(options({ out, epochs: 1, resume: true }));
  expect(resumed.best).toEqual(first.best);
  expect((await readdir(join(out, "model"))).toSorted()).toEqual(model.toSorted());
  expect(await readFile(join(out, "history.csv"), "utf8")).toMatch(/^epoch.*\n1,.*\n$/);
});

test("a run directory in use is refused, and a finished one is not overwritten", async () => {
  const out = await folder();
  const { release } = await claimRunDirectory(out, { fresh: true });
  await expect(claimRunDirectory(out, { fresh: true })).rejects.toThrow(/is in use by another run/);
  await release();
  await train(options({ out, epochs: 1 }));
  expect(existsSync(join(out, "model", "model.json"))).toBe(true);
  await expect(claimRunDirectory(out, { fresh: true })).rejects.toThrow(/already holds a run: give another --out/);
});
