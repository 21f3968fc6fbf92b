import { type DataSplits, seededRandom } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

import { beforeAll, describe, expect, test } from "vitest";
import { balancedClassWeights, evaluate, planAugmentation, train, type TrainOptions } from "../src/index.ts";
import { halves, smallNet } from "./squares.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

const preprocessing = { scale: 1 / 255 };
const execution = { deterministic: true };

/** A network without batch norm, whose gradients do not depend on how a batch is cut. */
function plainNet(options: { readonly outputs?: number } = {}): tfl.LayersModel {
  const { outputs = 2 } = options;
  const layers = [
    tfl.layers.flatten({ inputShape: [8, 8, 1] }),
    tfl.layers.dense({
      units: outputs,
      activation: "softmax",
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
    }),
  ];
  return tfl.sequential({ layers, name: "plain-net" });
}

type SplitOptions = TrainOptions & { readonly data: DataSplits };

function options(more: Partial<SplitOptions> = {}): SplitOptions {
  return {
    model: plainNet(),
    data: { name: "halves", train: halves(64) },
    epochs: 2,
    batch: 16,
    seed: 3,
    optimizer: { name: "sgd", learningRate: 0.1 },
    preprocessing,
    execution,
    restoreBest: false,
    ...more,
  };
}

async function weightsAfter(given: TrainOptions): Promise<number[]> {
  await train(given);
  return given.model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

test("gradients of two half batches, averaged, are those of the whole", async () => {
  const whole = await weightsAfter(options({ batch: 16 }));
  const halved = await weightsAfter(options({ batch: 8, accumulate: 2 }));
  expect(distance(whole, halved)).toBeLessThan(1e-6);
});

test("several steps in one call are the steps one by one, in order", async () => {
  const losses = async (stepsPerCall: number) => {
    const seen: number[] = [];
    const model = smallNet({ dropout: 0.3 });
    await train(
      options({
        model,
        data: { name: "halves", train: halves(70) },
        batch: 8,
        stepsPerCall,
        schedule: { name: "cosine", warmup: 0.5 },
        callbacks: [{ onTrainBatchEnd: (_batch, logs) => void seen.push(logs.stepLoss) }],
      }),
    );
    return { seen, weights: model.getWeights().map((weight) => [...weight.dataSync()]) };
  };
  const single = await losses(1);
  expect(single.seen).toHaveLength(18);
  expect(await losses(3)).toEqual(single);
});

test("weight decay shrinks kernels and leaves biases alone", async () => {
  const plain = options({
    model: plainNet(),
    epochs: 1,
    optimizer: { name: "sgd", learningRate: 1e-3, weightDecay: 100 },
  });
  const before = plain.model.getWeights().map((weight) => [...weight.dataSync()]);
  const [kernel, bias] = before as [number[], number[]];
  await train(plain);
  const [kernelAfter, biasAfter] = plain.model.getWeights().map((weight) => [...weight.dataSync()]) as [
    number[],
    number[],
  ];
  const norm = (values: readonly number[]) => Math.hypot(...values);
  // Four steps, each takes a tenth.
  expect(norm(kernelAfter) / norm(kernel)).toBeCloseTo(0.9 ** 4, 1);
  expect(distance(bias, biasAfter)).toBeLessThan(0.01);
});

test("a moving average is what is validated and kept, and follows the weights", async () => {
  const splits = { name: "halves", train: halves(64), validation: halves(32, { first: 500 }) };
  const raw = options({ epochs: 6, data: splits });
  const values = (model: tfl.LayersModel) => model.getWeights().map((weight) => [...weight.dataSync()]);
  let mean = values(raw.model);
  await train({
    ...raw,
    callbacks: [
      {
        async onTrainBatchEnd(_batch, _logs, { model, syncWeights }) {
          await syncWeights();
          const now = values(model);
          mean = mean.map((each, w) => each.map((value, i) => 0.9 * value + 0.1 * now[w]![i]!));
        },
      },
    ],
  });
  const averaged = options({ epochs: 6, data: splits, ema: 0.9 });
  const { final } = await train(averaged);
  expect(distance(mean.flat(), values(averaged.model).flat())).toBeLessThan(1e-6);
  const byHand = plainNet();
  byHand.setWeights(mean.map((each, w) => tf.tensor(each, byHand.getWeights()[w]!.shape)));
  const evaluation = await evaluate(byHand, splits.validation, { preprocessing, execution });
  expect(final!.valLoss).toBeCloseTo(evaluation.loss, 5);
});

test("images of weight 2 beside as many of weight 0 train as they would alone", async () => {
  const whole = halves(64);
  const chosen = Array.from({ length: 32 }, (_, i) => i);
  const sampleWeights = Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 2 : 0));
  const weighted = await weightsAfter(options({ batch: 64, sampleWeights }));
  const alone = await weightsAfter(options({ batch: 32, data: { name: "halves", train: whole.select(chosen) } }));
  expect(distance(weighted, alone)).toBeLessThan(1e-6);
});

test("a class's weight is that of each of its images", async () => {
  const { labels } = halves(64);
  const byImage = await weightsAfter(
    options({ sampleWeights: Float32Array.from(labels, (label) => [0.5, 3][label]!) }),
  );
  expect(await weightsAfter(options({ classWeights: [0.5, 3] }))).toEqual(byImage);
  expect(balancedClassWeights([0, 0, 0, 2], 3)).toEqual([4 / 6, 0, 2]);
});

test("outputs beside the main one train by their weights, and the first predicts", async () => {
  const input = tfl.input({ shape: [8, 8, 1] });
  const flat = tfl.layers.flatten().apply(input) as tfl.SymbolicTensor;
  const head = (name: string) =>
    tfl.layers
      .dense({ units: 2, activation: "softmax", name, kernelInitializer: "zeros" })
      .apply(flat) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: [head("main"), head("aside"), head("ignored")], name: "heads" });
  const result = await train(options({ model, epochs: 4, outputWeights: [1, 0.3, 0] }));
  expect(result.final!.accuracy).toBeGreaterThan(0.9);
  const kernel = (name: string) => [...model.getLayer(name).getWeights()[0]!.dataSync()];
  // The heads share no weights: a factor of the loss is one of the learning rate.
  for (const [name, factor] of Object.entries({ main: 1, aside: 0.3 })) {
    const alone = tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [8, 8, 1] }),
        tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: "zeros" }),
      ],
    });
    const optimizer = { name: "sgd", learningRate: 0.1 * factor } as const;
    const wanted = await weightsAfter(options({ model: alone, epochs: 4, optimizer }));
    expect(distance(kernel(name), wanted.slice(0, 128))).toBeLessThan(1e-6);
  }
  expect(kernel("ignored")).toEqual(Array.from({ length: 128 }, () => 0));
});

test("frozen layers keep their weights", async () => {
  const model = smallNet();
  const conv = model.layers[1]!;
  conv.trainable = false;
  const before = [...conv.getWeights()[0]!.dataSync()];
  await train(options({ model, epochs: 1 }));
  expect([...conv.getWeights()[0]!.dataSync()]).toEqual(before);
});

describe("augmentation plans", () => {
  test("change the images and keep the classes", () => {
    const images = tf.randomUniform([4, 8, 8, 1], 0, 255, "float32", 1) as tf.Tensor4D;
    const labels = tf.tensor1d([0, 1, 1, 0], "int32");
    const changed = planAugmentation({ flip: "horizontal", brightness: 0.3 }, 2)(images, labels, seededRandom(1));
    expect(changed.images.shape).toEqual([4, 8, 8, 1]);
    expect(changed.targets).toBe(labels);
    expect(tf.max(tf.abs(tf.sub(changed.images, images))).dataSync()[0]).toBeGreaterThan(1);
  });

  test("mixup makes distributions of the classes", async () => {
    const images = tf.ones([4, 8, 8, 1]) as tf.Tensor4D;
    const { targets } = planAugmentation({ mixup: 0.4 }, 3)(
      images,
      tf.tensor1d([0, 1, 2, 0], "int32"),
      seededRandom(2),
    );
    expect(targets.shape).toEqual([4, 3]);
    for (const sum of await tf.sum(targets, 1).data()) expect(sum).toBeCloseTo(1, 5);
  });

  test("a run with them is learned, and is the same for the same seed", async () => {
    const make = () =>
      options({ model: plainNet(), epochs: 3, augment: planAugmentation({ brightness: 0.1, mixup: 0.2 }, 2) });
    const [first, second] = [make(), make()];
    const result = await train(first);
    await train(second);
    expect(result.final!.accuracy).toBeGreaterThan(0.8);
    expect(second.model.getWeights().map((weight) => [...weight.dataSync()])).toEqual(
      first.model.getWeights().map((weight) => [...weight.dataSync()]),
    );
  });
});
