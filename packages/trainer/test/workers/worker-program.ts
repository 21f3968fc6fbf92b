import { fromArrays, type IndexedDataset } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { distribute } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { tensorflow } from "../../../graph/src/native/c-api.ts";
import { train, trainingHealth, type TrainOptions } from "../../src/index.ts";

/** One worker of `workers.test.ts`, or a process alone if there are no addresses: trains the named cases and tells the results. */
const [rank, addresses, cases] = JSON.parse(process.argv[2]!) as [number, string[], string[]];
await useEngine("native", { threads: 1 });

/** Numbers of a pattern, equal in all processes. */
function images(count: number, offset: number): IndexedDataset {
  const pixels = Float32Array.from(
    { length: count * 64 },
    (_, place) => ((place * 7919 + offset * 104_729) % 255) / 255,
  );
  const labels = Int32Array.from({ length: count }, (_, image) => (image * 7 + offset) % 3);
  for (const [image, label] of labels.entries()) pixels[image * 64 + label] = 3;
  return fromArrays({ images: pixels, shape: [8, 8, 1], labels, classes: ["a", "b", "c"] });
}

const init = (seed: number) => tfl.initializers.glorotUniform({ seed });

function network(withNorm = false): tfl.LayersModel {
  const layers = [
    tfl.layers.conv2d({
      filters: 4,
      kernelSize: 3,
      strides: 2,
      activation: "tanh",
      inputShape: [8, 8, 1],
      kernelInitializer: init(1),
    }),
    ...(withNorm ? [tfl.layers.batchNormalization()] : []),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: init(2) }),
  ];
  // Processes begin with other weights: the chief's count.
  const model = tfl.sequential({ layers, name: "net" });
  if (rank > 0) model.setWeights(model.getWeights().map((weight) => tf.mul(weight, rank + 2)));
  return model;
}

/** Alike in all processes. */
function teacher(): tfl.LayersModel {
  const layers = [
    tfl.layers.flatten({ inputShape: [8, 8, 1] }),
    tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer: init(3) }),
  ];
  return tfl.sequential({ layers, name: "teacher" });
}

// Every third step, of which each fourth is the last batch of an epoch.
const health = trainingHealth({ every: 3 });

const table: Readonly<Record<string, Partial<TrainOptions>>> = {
  sgd: { optimizer: { name: "sgd", learningRate: 0.1 } },
  adamw: { optimizer: { name: "adamw", learningRate: 0.01, weightDecay: 0.05, epsilon: 1e-3 } },
  clipped: { optimizer: { name: "momentum", learningRate: 0.05, globalClipNorm: 0.3 }, ema: 0.9 },
  accumulated: { optimizer: { name: "sgd", learningRate: 0.1 }, accumulate: 3 },
  calls: { optimizer: { name: "sgd", learningRate: 0.1 }, stepsPerCall: 3 },
  weighted: {
    optimizer: { name: "nadam", learningRate: 0.01, epsilon: 1e-3 },
    classWeights: [1, 2, 0.5],
    sampling: "balanced",
    schedule: "cosine:warmup=2",
    outputWeights: [0.5],
  },
  sampled: {
    optimizer: { name: "lamb", learningRate: 0.01, epsilon: 1e-3 },
    sampleWeights: Float32Array.from({ length: 37 }, (_, image) => 0.5 + (image % 4)),
    repeats: 2,
    stepsPerEpoch: 3,
    validationSteps: 1,
  },
  distilled: {
    optimizer: { name: "rmsprop", learningRate: 0.01, epsilon: 1e-3 },
    loss: { name: "sparse-categorical-crossentropy", labelSmoothing: 0.1 },
    distill: { teacher: teacher() },
  },
  float16: { optimizer: { name: "sgd", learningRate: 0.1 }, execution: { precision: "float16" } },
  bfloat16: { optimizer: { name: "sgd", learningRate: 0.1 }, execution: { precision: "bfloat16" } },
  norm: { optimizer: { name: "sgd", learningRate: 0.1 }, syncBatchNorm: true },
  local: { optimizer: { name: "sgd", learningRate: 0.1 } },
  health: { optimizer: { name: "sgd", learningRate: 0.1 }, callbacks: [health] },
  accumulatedHealth: { accumulate: 2, callbacks: [health] },
  diverging: { optimizer: { name: "sgd", learningRate: 3e38 }, epochs: 2 },
  otherBatch: { batch: rank === 1 ? 11 : 12 },
  otherTensorflow: {},
};

if (addresses.length > 0)
  await distribute({ cluster: { worker: addresses }, task: { type: "worker", index: rank }, timeout: 30 });
const told: Record<string, unknown> = {};
for (const name of cases) {
  const model = network(name === "norm" || name === "local");
  const given = table[name]!;
  if (name === "otherTensorflow" && rank === 1) Object.assign(tensorflow(), { TF_Version: () => "2.9.1" });
  try {
    const result = await train({
      model,
      // 37 images make a last batch of one, in which the second worker has none.
      data: { name: "pattern", train: images(37, 1), validation: images(11, 2) },
      batch: 12,
      epochs: 13,
      metrics: ["f1", "auc"],
      restoreBest: false,
      progress: false,
      stepsPerCall: 1,
      ...given,
    });
    const history = result.history.map(({ seconds: _seconds, ...logs }) => logs);
    told[name] = {
      weights: model.getWeights().map((weight) => [...weight.dataSync()]),
      history,
      stop: result.stopReason,
      health: name === "health" && (rank === 0 || addresses.length === 0) ? health.records : undefined,
    };
  } catch (error) {
    told[name] = { error: (error as Error).message };
  }
}
process.stdout.write(JSON.stringify(told));
