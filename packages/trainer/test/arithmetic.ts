import { fromArrays } from "@convkit/datasets";
import { type EngineName, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { scheduleFactor, type Schedule, train, type TrainOptions } from "../src/index.ts";

const [count, pixels, classes, batch, epochs, seed] = [10, 4, 3, 4, 3, 5];
const images = Float32Array.from({ length: count * pixels }, (_, i) => Math.cos(i * 1.3));
const labels = Array.from({ length: count }, (_, i) => (i * i) % classes);
const kernel = Array.from({ length: pixels * classes }, (_, i) => Math.sin(i) / 2);
/** Ten images of four pixels. The last batch of an epoch has two images, so that sizes are uneven. */
export const data = fromArrays({ images, shape: [2, 2, 1], labels, classes: ["a", "b", "c"], name: "small" });

/** A softmax regression with fixed weights. */
export function network(): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [2, 2, 1] }),
      tfl.layers.dense({ units: classes, activation: "softmax" }),
    ],
  });
  model.layers[1]!.setWeights([tf.tensor2d(kernel, [pixels, classes]), tf.zeros([classes])]);
  return model;
}

interface Case {
  readonly momentum?: number;
  readonly accumulate?: number;
  readonly ema?: number;
  readonly classWeights?: readonly number[];
  readonly labelSmoothing?: number;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  readonly globalClipNorm?: number;
  readonly clipValue?: number;
  readonly schedule?: Schedule;
}

/** The same training by plain loops in float64: softmax regression. */
async function byLoops(given: Case): Promise<number[]> {
  const { momentum = 0, accumulate = 1, ema, classWeights, labelSmoothing = 0, weightDecay = 0, schedule } = given;
  const weights = [...kernel, 0, 0, 0];
  const average = [...weights];
  const velocity = weights.map(() => 0);
  let [sum, seen, waiting, step] = [weights.map(() => 0), 0, 0, 0];
  const stepsPerEpoch = Math.ceil(count / batch);
  let rate = 0;
  const update = () => {
    let gradient = sum.map((value) => value / seen);
    const parts = [gradient.slice(0, kernel.length), gradient.slice(kernel.length)];
    const norm = (values: readonly number[]) => Math.hypot(...values);
    const { clipNorm, globalClipNorm, clipValue } = given;
    // Keras adds L2 to the gradient before it clips.
    gradient = gradient.map((value, i) => (i < kernel.length ? value + weightDecay * weights[i]! : value));
    if (clipValue !== undefined) gradient = gradient.map((value) => Math.min(clipValue, Math.max(-clipValue, value)));
    if (clipNorm !== undefined)
      gradient = parts.flatMap((part) => part.map((value) => value * Math.min(1, clipNorm / norm(part))));
    if (globalClipNorm !== undefined)
      gradient = gradient.map((value) => value * Math.min(1, globalClipNorm / norm(parts.flat())));
    for (let i = 0; i < weights.length; i += 1) {
      velocity[i] = momentum * velocity[i]! - rate * gradient[i]!;
      weights[i]! += velocity[i]!;
      average[i] = (ema ?? 0) * average[i]! + (1 - (ema ?? 0)) * weights[i]!;
    }
    [sum, seen, waiting] = [weights.map(() => 0), 0, 0];
  };
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for await (const each of data.batches({ batch, shuffle: true, seed, epoch })) {
      rate = 0.5 * scheduleFactor(schedule ?? { name: "constant" }, { step, stepsPerEpoch, epochs });
      for (const [n, label] of each.labels.entries()) {
        const x = Array.from(each.images.subarray(n * pixels, (n + 1) * pixels));
        const logits = Array.from({ length: classes }, (_, c) =>
          x.reduce((total, value, p) => total + value * weights[p * classes + c]!, weights[kernel.length + c]!),
        );
        const total = logits.reduce((all, logit) => all + Math.exp(logit), 0);
        for (let c = 0; c < classes; c += 1) {
          const wanted = (c === label ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
          const slope = (classWeights?.[label] ?? 1) * (Math.exp(logits[c]!) / total - wanted);
          for (let p = 0; p < pixels; p += 1) sum[p * classes + c]! += slope * x[p]!;
          sum[kernel.length + c]! += slope;
        }
      }
      seen += each.labels.length;
      [step, waiting] = [step + 1, waiting + 1];
      if (waiting === accumulate) update();
    }
    if (waiting > 0) update();
  }
  return ema === undefined ? weights : average;
}

async function byTrain(given: Case, eager: boolean): Promise<number[]> {
  const { momentum, accumulate, ema, classWeights, labelSmoothing, schedule, ...limits } = given;
  const model = network();
  const options: TrainOptions = {
    model,
    data: { name: "small", train: data },
    epochs,
    batch,
    seed,
    optimizer: { name: "sgd", learningRate: 0.5, ...(momentum !== undefined && { momentum }), ...limits },
    loss: { name: "categorical-crossentropy", labelSmoothing },
    accumulate,
    ema,
    classWeights,
    schedule,
    execution: { eager },
    restoreBest: false,
  };
  await train(options);
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}

/** Trainings whose weights are worked out by plain loops. */
export function testArithmetic(engine: EngineName): void {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs counts tensors kernel by kernel in tests, and miscounts those of tfjs-node.
    tf.env().set("IS_TEST", false);
  });
  const cases: readonly Case[] = [
    {},
    { momentum: 0.9 },
    { accumulate: 2 },
    { accumulate: 2, momentum: 0.9, ema: 0.8 },
    { accumulate: 50 },
    { ema: 0.9 },
    { classWeights: [0.5, 3, 1] },
    { labelSmoothing: 0.2 },
    { weightDecay: 0.1 },
    { clipValue: 0.05 },
    { clipNorm: 0.05 },
    { globalClipNorm: 0.1 },
    { schedule: { name: "cosine", warmup: 0.5 } },
    { schedule: { name: "one-cycle" } },
  ];
  describe.each(engine === "wasm" ? [true] : [false, true])(`on ${engine}, eager: %s`, (eager) => {
    test.each(cases.map((each) => [JSON.stringify(each), each] as const))("%s", async (_title, given) => {
      const [wanted, got] = [await byLoops(given), await byTrain(given, eager)];
      wanted.forEach((value, i) => expect(got[i], `weight ${i}`).toBeCloseTo(value, 5));
    });
  });
}
