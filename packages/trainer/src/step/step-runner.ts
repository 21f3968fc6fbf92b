import { type Batch, seededRandom } from "@convkit/datasets";
import { executable, type ExecutionOptions, type Feed, isTracing, type Values } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { accumulation } from "../optimization/accumulation.ts";
import { guardedLoss, isBadLoss } from "./non-finite-loss.ts";
import type { SavedArray } from "../run/checkpoint.ts";
import { movingAverage } from "../optimization/moving-average.ts";
import { createOptimizer, type OptimizerConfig, withWeightDecay } from "../optimization/optimizer-config.ts";
import { type StepParts, testLoss, trainingLoss } from "./training-loss.ts";

/** The mean loss of a batch and how many of its images were classified right. */
export interface BatchResult {
  readonly loss: number;
  readonly correct: number;
}

/** What is done with a batch, each by one call into the engine, and what a checkpoint needs of it. */
export interface Runner {
  /**
   * A step for each of the batches, which have one size; more than one go in one call. Undefined where the loss of one was
   * not finite, so that neither it nor those after it changed the weights.
   */
  train(
    batches: readonly Batch[],
    options: {
      /** Of each batch's step. */
      readonly learningRates: readonly number[];
      /** Steps done before; decides whether gathered gradients are applied. */
      readonly step: number;
      readonly weights: (batch: Batch) => Float32Array | undefined;
    },
  ): Promise<BatchResult[] | undefined>;
  test(batch: Batch): Promise<BatchResult>;
  /** Brings the weights to where the model can be read. */
  sync(): Promise<void>;
  /** Exchanges the weights with their moving average, where there is one; a second call undoes the first. */
  swapAverage(): Promise<void>;
  /** All that training changes: weights, the optimizer's slots, sums, averages, loss scales, the state of chance. */
  save(): Promise<SavedArray[]>;
  restore(arrays: readonly SavedArray[]): Promise<void>;
  dispose(): Promise<void>;
}

/** How a step's gradients become new weights. */
export interface UpdateOptions {
  readonly optimizer: OptimizerConfig;
  /** Batches whose gradients are averaged before an update. */
  readonly accumulate?: number;
  /** Decay of a moving average of the weights. */
  readonly ema?: number;
}

/** Prepares training and testing of a model. */
export function createRunner(parts: StepParts, update: UpdateOptions, execution: ExecutionOptions = {}): Runner {
  const { model } = parts;
  const { accumulate = 1, ema } = update;
  const optimizer = createOptimizer(update.optimizer);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  // The moving statistics of norms belong to the weights that they were gathered with, so they are averaged too.
  const everything = model.weights.map((weight) => weight.read() as tf.Variable);
  const average = ema === undefined ? undefined : movingAverage(everything, ema);
  const sums = accumulate === 1 ? undefined : accumulation(variables, accumulate);

  const { seed = 0, precision } = execution;
  // In float16 the graph leaves out steps that overflow by itself.
  const guard = precision === "float16" ? (loss: tf.Scalar) => loss : guardedLoss;

  const step = (applies: boolean) => (images?: tf.Tensor, labels?: tf.Tensor, weights?: tf.Tensor) => {
    let correct: tf.Scalar | undefined;
    // By the optimizer, so that in float16 the graph scales the loss and leaves out updates that overflow.
    const { value, grads } = optimizer.computeGradients(() => {
      const made = trainingLoss(parts, images as tf.Tensor4D, labels as tf.Tensor1D, {
        weights: weights as tf.Tensor1D | undefined,
        // A graph draws by itself, anew at every run; run op by op, each step needs a stream of its own.
        random: isTracing() ? undefined : seededRandom(seed, (applies ? apply : gather!).runs),
      });
      correct = tf.keep(made.correct);
      return guard(made.loss);
    }, variables);
    if (!isTracing() && !Number.isFinite(value.dataSync()[0])) return [value, correct!];
    sums?.add(grads);
    if (applies) {
      optimizer.applyGradients(withWeightDecay(update.optimizer, sums?.take() ?? grads));
      average?.update();
    }
    return [value, correct!];
  };
  // Each draws from chance by its own count of runs, so each needs a seed of its own.
  const gather = sums && executable(step(false), { ...execution, seed: seed + 0x5eed });
  const apply = executable(step(true), execution);
  const test = executable((images, labels) => {
    const { loss, correct } = testLoss(parts, images as tf.Tensor4D, labels as tf.Tensor1D);
    return [loss, correct];
  }, execution);

  // Within the engine, which has the values; through JavaScript they would go back and forth at every validation.
  const swap =
    average &&
    executable(() => {
      average.swap();
      return [];
    }, execution);

  const scales = [...apply.kept, ...(gather?.kept ?? [])];
  const kept = async (): Promise<{ name: string; tensor: tf.Tensor }[]> => [
    ...model.weights.map((weight) => ({ name: `model/${weight.originalName}`, tensor: weight.read() })),
    ...(average?.variables ?? []).map((tensor, index) => ({ name: `average/${index}`, tensor })),
    ...(sums?.variables ?? []).map((tensor, index) => ({ name: `sum/${index}`, tensor })),
    ...scales.map((tensor, index) => ({ name: `scale/${index}`, tensor })),
    ...(await optimizer.getWeights()).map(({ name, tensor }) => ({ name: `optimizer/${name}`, tensor })),
  ];

  return {
    async train(batches, { learningRates, step: index, weights }) {
      const setRate = (place: number) => {
        optimizer.learningRate = learningRates[place]!;
      };
      const executor = gather !== undefined && (index + 1) % accumulate !== 0 ? gather : apply;
      const calls = batches.map((batch) => feeds(batch, weights(batch)));
      const finite = (results: Values[][]): BatchResult[] | undefined => {
        const made = results.map(result);
        return made.every(({ loss }) => Number.isFinite(loss)) ? made : undefined;
      };
      try {
        if (calls.length > 1) {
          setRate(0);
          return finite(await executor.runAll(calls, setRate));
        }
      } catch (error) {
        if (!isBadLoss(error)) throw error;
        // The graph has taken all of them back: one after the other they leave the weights as they were before the one that fails.
      }
      try {
        const results: Values[][] = [];
        for (const [place, call] of calls.entries()) {
          setRate(place);
          results.push(await executor.run(call));
        }
        return finite(results);
      } catch (error) {
        if (isBadLoss(error)) return undefined;
        throw error;
      }
    },
    async test(batch) {
      return result(await test.run(feeds(batch)));
    },
    // Each knows the variables of what it has run, and any of them may not have run yet in this process.
    async sync() {
      await Promise.all([apply.sync(), gather?.sync(), swap?.sync()]);
    },
    async swapAverage() {
      await swap?.run([]);
    },
    async save() {
      const runs = {
        name: "runs",
        shape: [2],
        dtype: "int32",
        data: Int32Array.of(apply.runs, gather?.runs ?? 0),
      } as const;
      return [...(await Promise.all((await kept()).map(saved))), runs];
    },
    async restore(arrays) {
      const tensors = arrays.map(({ name, shape, dtype, data }) => ({
        name,
        tensor: tf.tensor(data, [...shape], dtype),
      }));
      const of = (kind: string) =>
        tensors.flatMap(({ name, tensor }) =>
          name.startsWith(`${kind}/`) ? [{ name: name.slice(kind.length + 1), tensor }] : [],
        );
      average?.variables.forEach((variable, index) => variable.assign(of("average")[index]!.tensor));
      sums?.variables.forEach((variable, index) => variable.assign(of("sum")[index]!.tensor));
      scales.forEach((variable, index) => variable.assign(of("scale")[index]!.tensor));
      await optimizer.setWeights(of("optimizer"));
      model.setWeights(of("model").map(({ tensor }) => tensor));
      tf.dispose(tensors.map(({ tensor }) => tensor));
      const runs = arrays.find(({ name }) => name === "runs")!.data;
      apply.runs = runs[0]!;
      if (gather !== undefined) gather.runs = runs[1]!;
    },
    async dispose() {
      await Promise.all([apply.dispose(), gather?.dispose(), test.dispose(), swap?.dispose()]);
      average?.dispose();
      sums?.dispose();
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
