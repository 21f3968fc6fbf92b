import type { Batch } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { SavedArray } from "./checkpoint.ts";
import { executable, type ExecutionOptions, type Feed, type Values } from "./executable.ts";
import { createOptimizer, type OptimizerConfig } from "./optimizer.ts";
import { type StepParts, testLoss, trainingLoss } from "./step.ts";

/** The mean loss of a batch and how many of its images were classified right. */
export interface BatchResult {
  readonly loss: number;
  readonly correct: number;
}

/** What is done with a batch, each by one call into the engine, and what a checkpoint needs of it. */
export interface Runner {
  train(batch: Batch, learningRate: number, weights?: Float32Array): Promise<BatchResult>;
  test(batch: Batch): Promise<BatchResult>;
  /** Brings the weights to where the model can be read. */
  sync(): Promise<void>;
  /** All that training changes: weights and the optimizer's slots. */
  save(): Promise<SavedArray[]>;
  restore(arrays: readonly SavedArray[]): Promise<void>;
  dispose(): Promise<void>;
}

/** Prepares training and testing of a model. */
export function createRunner(
  parts: StepParts,
  optimizerConfig: OptimizerConfig,
  execution: ExecutionOptions = {},
): Runner {
  const { model } = parts;
  const optimizer = createOptimizer(optimizerConfig);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const train = executable((images, labels, weights) => {
    let correct: tf.Scalar | undefined;
    const { value, grads } = tf.variableGrads(() => {
      const made = trainingLoss(
        parts,
        images as tf.Tensor4D,
        labels as tf.Tensor1D,
        weights as tf.Tensor1D | undefined,
      );
      correct = tf.keep(made.correct);
      return made.loss;
    }, variables);
    optimizer.applyGradients(grads);
    return [value, correct!];
  }, execution);
  const test = executable((images, labels) => {
    const { loss, correct } = testLoss(parts, images as tf.Tensor4D, labels as tf.Tensor1D);
    return [loss, correct];
  }, execution);
  return {
    async train(batch, learningRate, weights) {
      optimizer.learningRate = learningRate;
      return result(await train.run(feeds(batch, weights)));
    },
    async test(batch) {
      return result(await test.run(feeds(batch)));
    },
    sync: () => train.sync(),
    async save() {
      const weights = model.weights.map((weight) => ({ name: `model/${weight.originalName}`, tensor: weight.read() }));
      const slots = (await optimizer.getWeights()).map(({ name, tensor }) => ({ name: `optimizer/${name}`, tensor }));
      const runs = { name: "runs", shape: [], dtype: "int32", data: Int32Array.of(train.runs) } as const;
      return [...(await Promise.all([...weights, ...slots].map(saved))), runs];
    },
    async restore(arrays) {
      const tensors = arrays.map(({ name, shape, dtype, data }) => ({
        name,
        tensor: tf.tensor(data, [...shape], dtype),
      }));
      const weights = tensors.filter(({ name }) => name.startsWith("model/"));
      model.setWeights(weights.map(({ tensor }) => tensor));
      const slots = tensors.filter(({ name }) => name.startsWith("optimizer/"));
      await optimizer.setWeights(slots.map(({ name, tensor }) => ({ name: name.slice("optimizer/".length), tensor })));
      train.runs = arrays.find(({ name }) => name === "runs")?.data[0] ?? 0;
      tf.dispose(weights.map(({ tensor }) => tensor));
    },
    async dispose() {
      await train.dispose();
      await test.dispose();
      optimizer.dispose();
    },
  };
}

async function saved({ name, tensor }: { name: string; tensor: tf.Tensor }): Promise<SavedArray> {
  const data = (await tensor.data()) as Float32Array | Int32Array;
  return { name, shape: tensor.shape, dtype: tensor.dtype as "float32" | "int32", data };
}

function result([loss, correct]: Values[]): BatchResult {
  return { loss: loss!.data[0]!, correct: correct!.data[0]! };
}

function feeds({ images, shape, labels }: Batch, weights?: Float32Array): Feed[] {
  const made: Feed[] = [
    { data: images, shape },
    { data: labels, shape: [labels.length] },
  ];
  if (weights !== undefined) made.push({ data: weights, shape: [weights.length] });
  return made;
}
