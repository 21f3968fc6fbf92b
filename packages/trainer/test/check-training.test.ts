import { chain, conv, dense, flatten, freeze, layer, modelMetadata, network, unitPixels } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { checkTraining } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => useEngine("wasm").then(() => undefined));

/** Images of 8x6 pixels whose mean is their class' alone, with some noise. */
const images = 40;
const pixels = Uint8Array.from({ length: images * 8 * 6 }, (_, i) => {
  const label = Math.floor(i / 48) % 4;
  return 40 * label + ((i * 7919) % 31);
});
const labels = Array.from({ length: images }, (_, i) => i % 4);
const data = fromArrays({ images: pixels, shape: [8, 6, 1], labels, classes: ["a", "b", "c", "d"], name: "grays" });

const body = chain([
  conv(4, 3, { padding: "same", activation: "relu" }),
  flatten(),
  dense(4, { activation: "softmax" }),
]);
const make = (): tfl.LayersModel => network([8, 6, 1], body, { preprocessing: unitPixels, seed: 1 });
const fast = { optimizer: { name: "adam", learningRate: 0.02 }, batch: 16 } as const;

describe("checkTraining", () => {
  it("finds nothing where a batch can be learned, and leaves the weights as they are", async () => {
    const model = make();
    const metadata = modelMetadata(model);
    const before = model.getWeights().map((weight) => [...weight.dataSync()]);
    const check = await checkTraining(model, data, { ...fast, steps: 150 });
    expect(check.findings).toEqual([]);
    expect(check.start.expected).toBeCloseTo(Math.log(4), 6);
    expect(check.learned).toMatchObject({ steps: 150, accuracy: 1 });
    expect(check.learned.loss).toBeLessThan(0.1 * check.start.loss + 0.05);
    expect(check.still).toEqual([]);
    expect(check.input.shape).toEqual([16, 8, 6, 1]);
    expect(check.classes.reduce((sum, each) => sum + each.images, 0)).toBe(16);
    expect(model.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before);
    expect(modelMetadata(model)).toEqual(metadata);
    expect(metadata.classes).toBeUndefined();
  });

  it("sees the input as the network does", async () => {
    const check = await checkTraining(make(), data, { ...fast, batch: images, steps: 1 });
    const values = [...pixels].map((value) => value / 255);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(check.input.least).toBeCloseTo(Math.min(...values), 6);
    expect(check.input.most).toBeCloseTo(Math.max(...values), 6);
    expect(check.input.mean).toBeCloseTo(mean, 5);
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(check.input.deviation).toBeCloseTo(Math.sqrt(square), 5);
  });

  it("says that pixels are not scaled, and that the loss at the start is too large", async () => {
    const model = make();
    const kernel = model.layers.at(-1)!.getWeights()[0]!;
    model.layers.at(-1)!.setWeights([tf.mul(kernel, 50), tf.zeros([4])]);
    const { findings } = await checkTraining(model, data, { ...fast, steps: 1, preprocessing: {} });
    expect(findings).toContainEqual(
      expect.stringMatching(/^The network sees values from 0 to 150, .* give preprocessing/),
    );
    expect(findings).toContainEqual(
      expect.stringMatching(/^The loss at the start is \d.*, and equal chances give 1\.386/),
    );
  });

  it("says that labels cannot be learned, and which weights no gradient reaches", async () => {
    const dark = fromArrays({
      images: new Uint8Array(40 * 48).fill(9),
      shape: [8, 6, 1],
      labels,
      classes: ["a", "b", "c", "d"],
    });
    const equal = await checkTraining(make(), dark, { ...fast, steps: 20 });
    expect(equal.findings[0]).toMatch(/^Every pixel of the batch is 0\.03529: look at the images/);
    expect(equal.findings.at(-1)).toMatch(/^After 20 steps on one batch its loss is 1\.\d+ and its accuracy \d+ %/);

    const cut = layer((name) => tfl.layers.reLU({ name }), "relu");
    const dead = network(
      [8, 6, 1],
      chain({
        conv: conv(4, 3, { padding: "same" }),
        cut,
        flatten: flatten(),
        fc: dense(4, { activation: "softmax" }),
      }),
      { preprocessing: unitPixels },
    );
    dead.getLayer("conv").setWeights([tf.zeros([3, 3, 1, 4]), tf.fill([4], -1)]);
    const { still, findings } = await checkTraining(dead, data, { ...fast, steps: 3 });
    expect(still).toEqual(["conv/kernel", "conv/bias", "fc/kernel"]);
    expect(findings).toContainEqual(
      expect.stringMatching(/^3 trainable weights did not change, .*: conv\/kernel, conv\/bias, fc\/kernel\.$/),
    );
  });

  it("does not name frozen weights", async () => {
    const model = make();
    freeze(model, model.layers[1]!.name);
    const { still } = await checkTraining(model, data, { ...fast, steps: 2 });
    expect(still).toEqual([]);
  });

  it("refuses options out of their range", async () => {
    await expect(checkTraining(make(), data, { steps: 0 })).rejects.toThrow(
      "checkTraining: expected steps to be a whole number from 1, got 0.",
    );
    await expect(checkTraining(make(), data, { step: 3 } as never)).rejects.toThrow(/step/);
  });
});

describe("checkTraining of other targets", () => {
  const flat = (units: number, activation: "sigmoid" | "linear", name: string): tfl.LayersModel => {
    const input = tfl.input({ shape: [8, 6, 1] });
    const kernelInitializer = tfl.initializers.zeros();
    const flattened = tfl.layers.flatten().apply(input);
    const out = tfl.layers.dense({ name, units, activation, kernelInitializer }).apply(flattened);
    return tfl.model({ inputs: input, outputs: out as tfl.SymbolicTensor });
  };
  const scaled = { ...fast, batch: images, preprocessing: { scale: 1 / 255 } } as const;
  const array = { images: pixels, shape: [8, 6, 1] as const, name: "grays" };

  it("compares the loss at the start with ln(2) of labels, and counts each", async () => {
    const values = labels.flatMap((label) => [Number(label > 1), Number(label % 2 === 1), 1]);
    const tags = { kind: "labels", values, names: ["light", "odd", "gray"] } as const;
    const check = await checkTraining(flat(3, "sigmoid", "tags"), fromArrays({ ...array, targets: { tags } }), {
      ...scaled,
      steps: 60,
    });
    expect(check.start.loss).toBeCloseTo(Math.log(2), 6);
    expect(check.start.expected).toBeCloseTo(Math.log(2), 6);
    expect(check.classes).toEqual([
      { name: "light", images: 20 },
      { name: "odd", images: 20 },
      { name: "gray", images: 40 },
    ]);
    expect(check.learned.accuracy).toBeUndefined();
    expect(check.findings.filter((finding) => /of class/.test(finding))).toEqual([]);
  });

  it("compares the loss at the start with the variance of numbers", async () => {
    const values = labels.map((label) => 100 + label);
    const size = { kind: "numbers", values } as const;
    const check = await checkTraining(flat(1, "linear", "size"), fromArrays({ ...array, targets: { size } }), {
      ...scaled,
      steps: 1,
    });
    // Of 0, 1, 2, 3 the variance is 1.25; a prediction of 0 has the mean of the squares.
    expect(check.start.expected).toBeCloseTo(1.25, 6);
    expect(check.start.loss).toBeCloseTo(values.reduce((sum, value) => sum + value ** 2, 0) / images, 1);
    expect(check.findings[0]).toMatch(/predicting the means of the numbers gives 1\.25: scale the numbers/);
    expect(check.classes).toEqual([]);
  });

  it("takes masks, and images with a pixel of each class", async () => {
    const mask = {
      kind: "mask",
      values: [...pixels].map((value) => Number(value > 60)),
      names: ["dark", "light"],
    } as const;
    const pixelwise = network([8, 6, 1], chain([conv(2, 1, { padding: "same", activation: "softmax" })]), {
      preprocessing: unitPixels,
      seed: 2,
    });
    const data = fromArrays({ ...array, targets: { mask } });
    const check = await checkTraining(pixelwise, data, { ...fast, batch: images, steps: 60 });
    expect(check.start.expected).toBeCloseTo(Math.log(2), 6);
    expect(check.learned.accuracy).toBeGreaterThan(0.7);
    const bright = Array.from({ length: images }, (_, i) => pixels.subarray(i * 48, (i + 1) * 48)).filter((own) =>
      own.some((value) => value > 60),
    );
    expect(check.classes[1]).toEqual({ name: "light", images: bright.length });
  });

  it.each([
    // Of 0, 1, 2, 3 as much each: the means of |v - 1.5|, of Huber's losses below and above 1, and the cosine of one number.
    ["mae", 1, 0],
    [{ name: "huber", delta: 1 }, (0.5 * 0.25 + (1.5 - 0.5)) / 2, 0],
    ["cosine-similarity", -0.75, -0.75],
    [(yTrue: tf.Tensor, yPred: tf.Tensor) => tf.sum(tf.pow(tf.sub(yTrue, yPred), 4), -1), (0.5 ** 4 + 1.5 ** 4) / 2, 0],
  ] as const)("judges numbers by the loss %s", async (loss, expected, least) => {
    const size = { kind: "numbers", values: labels } as const;
    const check = await checkTraining(flat(1, "linear", "size"), fromArrays({ ...array, targets: { size } }), {
      ...scaled,
      loss,
      steps: 1,
    });
    expect(check.start.expected).toBeCloseTo(expected, 5);
    expect(check.start.least).toBeCloseTo(least, 6);
    const error = [0, 1, 2, 3].map((value) => {
      if (loss === "mae") return value;
      if (loss === "cosine-similarity") return 0;
      return typeof loss === "function" ? value ** 4 : Math.max(0, value - 0.5);
    });
    expect(check.start.loss).toBeCloseTo(
      error.reduce((sum, value) => sum + value / 4, 0),
      3,
    );
  });

  it("measures what is learned from the least loss that label smoothing leaves", async () => {
    const values = labels.flatMap(() => [1, 1]);
    const tags = { kind: "labels", values, names: ["gray", "small"] } as const;
    const train = fromArrays({ ...array, targets: { tags } });
    const loss = { name: "binary-crossentropy", labelSmoothing: 0.2 } as const;
    const how = { ...scaled, optimizer: { name: "adam", learningRate: 0.05 }, loss, steps: 60 } as const;
    const check = await checkTraining(flat(2, "sigmoid", "tags"), train, how);
    expect(check.start.expected).toBeCloseTo(Math.log(2), 6);
    expect(check.start.least).toBeCloseTo(-(0.9 * Math.log(0.9) + 0.1 * Math.log(0.1)), 6);
    expect(check.learned.loss).toBeGreaterThan(check.start.least - 1e-6);
    expect(check.findings).toEqual([]);
  });

  it("judges classes by their loss, embeddings without chances, and trains with class weights", async () => {
    const smoothed = { name: "categorical-crossentropy", labelSmoothing: 0.1 } as const;
    const { start } = await checkTraining(make(), data, { ...fast, loss: smoothed, steps: 1 });
    expect(start.expected).toBeCloseTo(Math.log(4), 6);
    expect(start.least).toBeCloseTo(-(0.925 * Math.log(0.925) + 3 * 0.025 * Math.log(0.025)), 5);
    const embedded = await checkTraining(flat(3, "linear", "place"), data, {
      ...scaled,
      loss: "triplet-hard",
      steps: 1,
    });
    expect(embedded.start.expected).toBeUndefined();
    // All weights are 0, so all places are equal: the loss is the margin.
    expect(embedded.start.loss).toBeCloseTo(1, 6);
    const none = await checkTraining(make(), data, { ...fast, classWeights: [0, 0, 0, 0], steps: 2 });
    expect(none.still).toHaveLength(4);
  });
});
