import { fromArrays, type IndexedDataset, type TargetData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { evaluateTasks, formatHistory, parseHistory, train, type TrainOptions } from "../src/index.ts";

// One engine a process: the best that is here.
beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  // In tests tfjs takes what an op keeps for its gradient for a leak.
  tf.env().set("IS_TEST", false);
});

const [count, pixels] = [6, 4];
const images = Float32Array.from({ length: count * pixels }, (_, i) => Math.cos(i * 1.3));
const hot = [1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1];
const numbers = Array.from({ length: count * 2 }, (_, i) => Math.sin(i * 2.1) * 3);

function dataOf(
  targets: Record<string, TargetData>,
  more: Partial<Parameters<typeof fromArrays>[0]> = {},
): IndexedDataset {
  return fromArrays({ images, shape: [2, 2, 1], targets, name: "small", ...more });
}

const labelled = () => dataOf({ tags: { kind: "labels", values: hot, names: ["red", "round"] } });
const measured = () => dataOf({ size: { kind: "numbers", values: numbers, names: ["width", "height"] } });
const kernel = (outputs: number) => Array.from({ length: pixels * outputs }, (_, i) => Math.sin(i + outputs) / 2);

/** Flat images times fixed weights, with an output for each name. */
function network(
  outputs: Record<string, { units: number; activation?: "sigmoid" | "softmax" | "linear" }>,
): tfl.LayersModel {
  const input = tfl.input({ shape: [2, 2, 1] });
  const flat = tfl.layers.flatten().apply(input);
  const ends = Object.entries(outputs).map(([name, { units, activation = "linear" }]) =>
    tfl.layers.dense({ name, units, activation, useBias: false }).apply(flat),
  ) as tfl.SymbolicTensor[];
  const model = tfl.model({ inputs: input, outputs: ends, name: "net" });
  for (const [name, { units }] of Object.entries(outputs))
    model.getLayer(name).setWeights([tf.tensor2d(kernel(units), [pixels, units])]);
  return model;
}

type Slope = (output: number[], row: number) => number[];

/** Full-batch gradient descent in float64: `slope` is the loss's gradient by one image's outputs. */
function reference(units: number, slope: Slope, { steps = 3, rate = 0.5 } = {}): number[] {
  const weights = kernel(units);
  for (let step = 0; step < steps; step += 1) {
    const change = weights.map(() => 0);
    for (let row = 0; row < count; row += 1) {
      const x = images.subarray(row * pixels, (row + 1) * pixels);
      const output = Array.from({ length: units }, (_, k) =>
        x.reduce((sum, value, p) => sum + value * weights[p * units + k]!, 0),
      );
      slope(output, row).forEach((each, k) => x.forEach((value, p) => (change[p * units + k]! += value * each)));
    }
    change.forEach((value, place) => (weights[place]! -= rate * value));
  }
  return weights;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const bySigmoid: Slope = (output, row) =>
  output.map((z, k) => ((sigmoid(z) - hot[row * 2 + k]!) * [3, 1][k]!) / (2 * count));
const bySquares =
  (weights: readonly number[] = [], mean = count): Slope =>
  (output, row) =>
    output.map((z, k) => ((weights[row] ?? 1) * (z - numbers[row * 2 + k]!)) / mean);

const sampleWeights = Float32Array.of(1, 0, 2, 0.5, 1, 3);
const usual = {
  epochs: 3,
  batch: count,
  optimizer: { name: "sgd", learningRate: 0.5 },
  progress: false,
  restoreBest: false,
} as const;

interface Case {
  readonly data: () => IndexedDataset;
  readonly options: Partial<TrainOptions>;
  readonly slope: Slope;
}

const cases: Record<string, Case> = {
  "binary cross-entropy of labels with weights": {
    data: labelled,
    options: { classWeights: [3, 1] },
    slope: bySigmoid,
  },
  "squares of numbers": { data: measured, options: {}, slope: bySquares() },
  "weights of images": { data: measured, options: { sampleWeights }, slope: bySquares([...sampleWeights]) },
  "their mean": {
    data: measured,
    options: { sampleWeights, loss: { name: "mse", reduction: "mean-with-sample-weight" } },
    slope: bySquares([...sampleWeights], 7.5),
  },
  "a loss as a function": {
    data: measured,
    options: { sampleWeights, loss: (yTrue, yPred) => tf.mean(tf.squaredDifference(yPred, yTrue), -1) },
    slope: bySquares([...sampleWeights]),
  },
};

describe.each([true, false])("trainings of tasks equal plain loops (eager: %s)", (eager) => {
  test.each(Object.entries(cases))("%s", async (_title, { data, options, slope }) => {
    const set = data();
    const activation = set.targets!["tags"] === undefined ? "linear" : "sigmoid";
    const model = network({ out: { units: 2, activation } });
    await train({ ...usual, model, data: set, execution: { eager }, ...options });
    const wanted = reference(2, slope);
    const got = [...model.getWeights()[0]!.dataSync()];
    wanted.forEach((value, place) => expect(got[place]).toBeCloseTo(value, 4));
  });

  test("several outputs with factors of their losses", async () => {
    const both = dataOf({
      tags: { kind: "labels", values: hot, names: ["red", "round"] },
      size: { kind: "numbers", values: numbers, names: ["width", "height"] },
    });
    const model = network({ size: { units: 2 }, tags: { units: 2, activation: "sigmoid" } });
    const { final } = await train({
      ...usual,
      model,
      data: both,
      validation: both,
      lossWeights: { size: 0.25, tags: 2 },
      metrics: { size: ["mae"], tags: [{ name: "f1", average: "micro" }] },
      execution: { eager },
    });
    const size = reference(2, (output, row) => bySquares()(output, row).map((each) => each * 0.25));
    const tags = reference(2, (output, row) =>
      output.map((z, k) => ((sigmoid(z) - hot[row * 2 + k]!) * 2) / (2 * count)),
    );
    for (const [name, wanted] of [
      ["size", size],
      ["tags", tags],
    ] as const)
      wanted.forEach((value, place) =>
        expect(model.getLayer(name).getWeights()[0]!.dataSync()[place]).toBeCloseTo(value, 4),
      );
    const { outputs, loss } = await evaluateTasks(model, both, { lossWeights: { size: 0.25, tags: 2 } });
    expect(final!.valLoss).toBeCloseTo(loss, 5);
    const [first] = outputs[0]!.numbers!;
    const second = outputs[0]!.numbers![1]!;
    expect(final!.metrics!["val_size_mae"]).toBeCloseTo((first!.mae + second.mae) / 2, 5);
    expect(first!.mae).toBeCloseTo(
      Array.from({ length: count }, (_, row) => {
        const x = images.subarray(row * pixels, (row + 1) * pixels);
        return Math.abs(x.reduce((sum, value, p) => sum + value * size[p * 2]!, 0) - numbers[row * 2]!);
      }).reduce((a, b) => a + b) / count,
      4,
    );
    expect(Object.keys(final!.metrics!).toSorted()).toEqual(["size_mae", "tags_f1", "val_size_mae", "val_tags_f1"]);
    expect(final!.accuracy).toBeUndefined();
    expect(parseHistory(formatHistory([final!]))).toEqual([final]);
  });
});

test("further inputs reach the model", async () => {
  const speeds = [5, -1, 2, 0, 3, 1];
  const data = dataOf(
    { out: { kind: "numbers", values: speeds } },
    { inputs: { speed: { values: speeds, shape: [1] } } },
  );
  const [picture, speed] = [tfl.input({ shape: [2, 2, 1] }), tfl.input({ shape: [1], name: "speed" })];
  const flat = tfl.layers.flatten().apply(picture) as tfl.SymbolicTensor;
  const joined = tfl.layers.concatenate().apply([flat, speed]);
  const out = tfl.layers
    .dense({ name: "out", units: 1, kernelInitializer: "zeros" })
    .apply(joined) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: [picture, speed], outputs: out });
  // The last weight alone gives the number.
  model.getLayer("out").setWeights([tf.tensor2d([0, 0, 0, 0, 1], [5, 1]), tf.zeros([1])]);
  const { history } = await train({ ...usual, model, data, epochs: 1 });
  expect(history[0]!.loss).toBeLessThan(1e-9);
});

test("a metric that throws is told once, and the training goes on", async () => {
  const notes: string[] = [];
  const { history } = await train({
    ...usual,
    model: network({ out: { units: 2 } }),
    data: measured(),
    metrics: [
      "mae",
      {
        name: "broken",
        update: () => {
          throw new Error("no disk");
        },
        result: () => 1,
        reset: () => {},
      },
      function untraceable(): tf.Tensor {
        throw new Error("a bug.");
      },
    ],
    onNote: (note) => notes.push(note),
  });
  expect(notes.toSorted()).toEqual([
    "The metric broken failed: no disk. It is left out, and everything else goes on.",
    "The metric untraceable failed: a bug. It is left out, and everything else goes on.",
  ]);
  expect(history.map(({ metrics }) => [metrics!["broken"], metrics!["untraceable"]])).toEqual(
    Array.from({ length: 3 }, () => [Number.NaN, Number.NaN]),
  );
  expect(history[2]!.metrics!["mae"]).toBeGreaterThan(0);
});

test("the best epoch is that of the watched metric", async () => {
  // The first epoch has the largest "count", and lower is better for "down".
  const counter = (name: string, better: "higher" | "lower") => {
    let epochs = 0;
    return { name, better, update: () => {}, result: () => (epochs += 1), reset: () => {} };
  };
  const run = (better: "higher" | "lower") =>
    train({
      ...usual,
      model: network({ out: { units: 2 } }),
      data: measured(),
      metrics: [counter("count", better)],
      monitor: "count",
    });
  expect((await run("higher")).best?.epoch).toBe(3);
  expect((await run("lower")).best?.epoch).toBe(1);
});

test("a loss that is not a number in the first step ends the run with a sentence", async () => {
  const { diverged, stopReason } = await train({
    ...usual,
    model: network({ out: { units: 2 } }),
    data: measured(),
    loss: (yTrue, yPred) => tf.mean(tf.sqrt(tf.sub(-100, tf.square(tf.sub(yPred, yTrue)))), -1),
  });
  expect(diverged).toBe(true);
  expect(stopReason).toBe("the loss of step 1 is not finite: the output of every layer is finite");
});

const linear = (units: number) => network({ out: { units } });
const classes = () => fromArrays({ images, shape: [2, 2, 1], labels: [0, 1, 0, 1, 2, 0], name: "small" });

test.each<[string, () => Partial<TrainOptions>, RegExp]>([
  [
    "labels",
    () => ({ model: linear(3), data: labelled() }),
    /^net's output out has the shape \[3\], but the target tags of small has 2 labels \(red, round\): expected the shape \[2\]\.$/,
  ],
  [
    "numbers",
    () => ({ model: linear(1), data: measured() }),
    /output out has the shape \[1\], but the target size of small has 2 numbers/,
  ],
  [
    "a softmax",
    () => ({ model: network({ out: { units: 2, activation: "softmax" } }), data: labelled() }),
    /ends in a softmax, .*; binary-crossentropy needs a sigmoid or no activation\.$/,
  ],
  [
    "a sigmoid",
    () => ({ model: network({ out: { units: 3, activation: "sigmoid" } }), data: classes() }),
    /ends in a sigmoid, but sparse-categorical-crossentropy needs a softmax/,
  ],
  [
    "the range of a sigmoid",
    () => ({ model: network({ out: { units: 2, activation: "sigmoid" } }), data: measured() }),
    /ends in a sigmoid, from 0 to 1, but size of small has numbers from -/,
  ],
  [
    "a loss of classes",
    () => ({ model: linear(2), data: measured(), loss: "categorical-crossentropy" }),
    /is for classes, but size of small has numbers: use mse, mae or huber\.$/,
  ],
  [
    "one class for labels",
    () => ({ model: linear(2), data: labelled(), loss: "categorical-crossentropy" }),
    /is for one class an image, but tags of small has several labels/,
  ],
  [
    "the value of a function",
    () => ({
      model: linear(2),
      data: measured(),
      loss: function mine(a, b) {
        return tf.mean(tf.sub(a, b), 0);
      },
    }),
    /^The loss mine must return one value for each example: expected the shape \[5\] for yTrue \[5, 2\] and yPred \[5, 2\], got \[2\]\.$/,
  ],
  [
    "a scalar",
    () => ({ model: linear(2), data: measured(), loss: (a, b) => tf.mean(tf.sub(a, b)) }),
    /expected the shape \[5\] for yTrue \[5, 2\] and yPred \[5, 2\], got \[\]\.$/,
  ],
  [
    "a metric of classes",
    () => ({ model: linear(2), data: measured(), metrics: ["auc"] }),
    /^The metric auc is for one class an image, several labels, but out tells numbers\.$/,
  ],
  [
    "an unknown metric",
    () => ({ model: linear(2), data: measured(), metrics: ["acc" as "auc"] }),
    /^Unknown metric "acc": known are accuracy, /,
  ],
  [
    "an unknown output",
    () => ({ model: linear(2), data: measured(), loss: { outs: "mse" } }),
    /^loss names the output outs, but the model has the outputs out\.$/,
  ],
  [
    "class weights of numbers",
    () => ({ model: linear(2), data: measured(), classWeights: [1, 2] }),
    /out tells numbers, which have no classes\.$/,
  ],
  [
    "a sum and accumulated gradients",
    () => ({ model: linear(2), data: measured(), loss: { name: "mse", reduction: "sum" }, accumulate: 2 }),
    /does not fit the reduction sum\.$/,
  ],
  [
    "a metric without direction",
    () => ({
      model: linear(2),
      data: measured(),
      metrics: [{ name: "own", fn: (a, b) => tf.mean(tf.sub(a, b), -1) }],
      monitor: "own",
    }),
    /does not say what is better/,
  ],
  ["an unknown monitor", () => ({ model: linear(2), data: measured(), monitor: "rmse" }), /^Unknown monitor "rmse"/],
])("what does not fit is refused before the first step: %s", async (_title, options, message) => {
  const run = train({ ...usual, ...options() } as TrainOptions);
  await expect(run).rejects.toThrow(message);
});

test("a class that no image has is told", async () => {
  const notes: string[] = [];
  const data = fromArrays({
    images,
    shape: [2, 2, 1],
    labels: [0, 1, 0, 1, 1, 0],
    classes: ["a", "b", "c"],
    name: "small",
  });
  const onNote = (note: string) => notes.push(note);
  await train({ ...usual, model: linear(3), data, epochs: 1, onNote });
  expect(notes).toEqual(["No image of small has the class c: it cannot be learned."]);
});

test("masks are told apart by pixels", async () => {
  // One 1x1 convolution: each pixel's class is whether it is above 0.
  const values = Int32Array.from(images, (value) => Number(value > 0));
  const data = dataOf({ mask: { kind: "mask", values, names: ["off", "on"] } });
  const input = tfl.input({ shape: [2, 2, 1] });
  const conv = tfl.layers.conv2d({ name: "mask", filters: 2, kernelSize: 1, activation: "softmax" });
  const model = tfl.model({ inputs: input, outputs: conv.apply(input) as tfl.SymbolicTensor });
  conv.setWeights([tf.tensor4d([-1, 1], [1, 1, 1, 2]), tf.zeros([2])]);
  const { loss, metrics, outputs } = await evaluateTasks(model, data, { metrics: ["mean-iou"] });
  const losses = [...images].map((x) => Math.log(1 + Math.exp(-2 * Math.abs(x))));
  expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b) / losses.length, 5);
  expect([metrics["mean-iou"], metrics["accuracy"]]).toEqual([1, 1]);
  expect(outputs[0]!.confusion).toEqual([
    [values.filter((value) => value === 0).length, 0],
    [0, values.filter((value) => value === 1).length],
  ]);
  const { final } = await train({ ...usual, model, data, optimizer: "adam" });
  expect(final!.metrics!["mean-iou"]).toBe(1);
  // Each pixel tells its own class, so all are right if masks move as images do; padded pixels are not judged.
  const edged = dataOf({ mask: { kind: "mask", values, names: ["off", "on"], ignore: 7 } });
  const augment = {
    crop: { height: 2, width: 2, pad: 1, fillValue: -5 },
    flip: "both",
    rotation: { factor: 0.5, interpolation: "nearest" },
  } as const;
  const moved = await train({ ...usual, model, data: edged, epochs: 2, optimizer: "adam", augment });
  expect(moved.history.map(({ metrics: own }) => own!["mean-iou"])).toEqual([1, 1]);
  const filled = await train({
    ...usual,
    model,
    data,
    epochs: 2,
    optimizer: "adam",
    augment: { ...augment, crop: { ...augment.crop, fillValue: 5 } },
  });
  expect(filled.history[0]!.metrics!["mean-iou"]).toBeLessThan(1);
  await expect(train({ ...usual, model, data, augment: { mixup: 0.2 } })).rejects.toThrow(
    "augment cannot mix images with masks: leave out mixup and cutmix.",
  );
});
