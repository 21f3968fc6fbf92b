import { randomStreams } from "@convkit/core/internal";
import { type Batch, type RandomSource, seededRandom } from "@convkit/datasets";
import { executable, type Executable, type ExecutionOptions, type Feed, isTracing, type Values } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { type SavedArray, savedArray } from "../run/checkpoint.ts";
import { guardedLoss, isBadLoss } from "./non-finite-loss.ts";
import { withSeededMath } from "./seeded-math.ts";
import { type StepParts, testLoss, trainingLoss } from "./training-loss.ts";
import { type NamedTensor, type UpdateOptions, WeightUpdate } from "./weight-update.ts";

/** The mean loss of a batch and the number of its correctly classified images. */
export interface BatchResult {
  readonly loss: number;
  readonly correct: number;
}

/** The inputs of the steps for some batches, besides the batches. */
export interface TrainCall {
  /** The learning rate of each batch's step. */
  readonly learningRates: readonly number[];
  /** Factors for the loss of each image in a batch; undefined if all are 1. */
  readonly weights: (batch: Batch) => Float32Array | undefined;
}

/** Runs training and validation batch by batch, each batch in one call of the engine. */
export class StepRunner {
  readonly #parts: StepParts;
  readonly #execution: ExecutionOptions;
  readonly #update: WeightUpdate;
  #step: Executable;
  #applyWaiting: Executable | undefined;
  readonly #test: Executable;
  readonly #swap: Executable | undefined;

  constructor(parts: StepParts, update: UpdateOptions, execution: ExecutionOptions = {}) {
    this.#parts = parts;
    this.#execution = execution;
    this.#update = new WeightUpdate(parts.model, update);
    this.#step = this.#makeStep();
    this.#applyWaiting = (update.accumulate ?? 1) === 1 ? undefined : this.#makeApplyWaiting();
    this.#test = executable((images, labels) => {
      const { loss, correct } = testLoss(parts, images as tf.Tensor4D, labels as tf.Tensor1D);
      return [loss, correct];
    }, execution);
    const { average } = this.#update;
    // Swaps in the engine, which holds the values. In JavaScript, every validation would copy all weights.
    this.#swap =
      average &&
      executable(() => {
        average.swap();
        return [];
      }, execution);
  }

  /**
   * Runs one step for each batch; the batches have equal sizes. Several steps go in one call. Returns undefined if a
   * loss was not finite: that step and later ones changed no weight.
   */
  async train(batches: readonly Batch[], { learningRates, weights }: TrainCall): Promise<BatchResult[] | undefined> {
    const setRate = (place: number) => {
      this.#update.setRate(learningRates[place]!);
    };
    const calls = batches.map((batch) => feeds(batch, weights(batch)));
    try {
      if (calls.length > 1) {
        setRate(0);
        return finiteResults(await this.#step.runAll(calls, setRate));
      }
    } catch (error) {
      if (!isBadLoss(error)) throw error;
      // The engine undid all steps of the call. The steps before the failing one are repeated one by one.
    }
    try {
      const results: Values[][] = [];
      for (const [place, call] of calls.entries()) {
        setRate(place);
        results.push(await this.#step.run(call));
      }
      return finiteResults(results);
    } catch (error) {
      if (isBadLoss(error)) return undefined;
      throw error;
    }
  }

  /** Updates the weights with the gradients that `accumulate` has collected. */
  async applyWaiting(learningRate: number): Promise<void> {
    this.#update.setRate(learningRate);
    await this.#applyWaiting?.run([]);
  }

  /** Loss and number of correct predictions for a validation batch. */
  async test(batch: Batch): Promise<BatchResult> {
    return batchResult(await this.#test.run(feeds(batch)));
  }

  /** Makes the weights readable in the model. */
  async sync(): Promise<void> {
    // Each executable knows only the variables that it has used in this process.
    await Promise.all([this.#step.sync(), this.#applyWaiting?.sync(), this.#swap?.sync()]);
  }

  /** Runs `fn` while the model has the moving average of its weights, if there is one. */
  async withAverage<T>(fn: () => Promise<T>): Promise<T> {
    await this.#swap?.run([]);
    try {
      return await fn();
    } finally {
      await this.#swap?.run([]);
    }
  }

  /** Replaces the model's weights by their moving average, if there is one. */
  async adoptAverage(): Promise<void> {
    await this.#swap?.run([]);
    await this.sync();
  }

  /** Updates the steps after layers became trainable or frozen. */
  async refresh(): Promise<void> {
    if (!this.#update.refresh()) return;
    await this.sync();
    this.#step = await replaced(this.#step, this.#makeStep());
    if (this.#applyWaiting !== undefined)
      this.#applyWaiting = await replaced(this.#applyWaiting, this.#makeApplyWaiting());
  }

  /**
   * Everything that training changes: weights, averages, accumulated gradients, optimizer slots, loss scales, random
   * states.
   */
  async save(): Promise<SavedArray[]> {
    const tensors = [...(await this.#update.tensors()), ...this.#scales(), ...this.#streams()];
    const runs = { name: "runs", shape: [1], dtype: "int32", data: Int32Array.of(this.#step.runs) } as const;
    return [...(await Promise.all(tensors.map(savedArray))), runs];
  }

  /** Restores the result of `save`, by name. Returns the names of variables without an array of their shape. */
  async restore(arrays: readonly SavedArray[]): Promise<string[]> {
    const tensors = arrays.map(({ name, shape, dtype, data }) => ({
      name,
      tensor: tf.tensor(data, [...shape], dtype),
    }));
    const missing = await this.#update.restore(tensors);
    const given = new Map(tensors.map(({ name, tensor }) => [name, tensor]));
    for (const { name, tensor } of [...this.#scales(), ...this.#streams()])
      (tensor as tf.Variable).assign(given.get(name) ?? tensor);
    tf.dispose(tensors.map(({ tensor }) => tensor));
    this.#step.runs = arrays.find(({ name }) => name === "runs")?.data[0] ?? 0;
    return missing;
  }

  async dispose(): Promise<void> {
    const executables = [this.#step, this.#applyWaiting, this.#test, this.#swap];
    await Promise.all(executables.map((each) => each?.dispose()));
    this.#update.dispose();
  }

  #scales(): NamedTensor[] {
    return this.#step.kept.map((tensor, index) => ({ name: `scale/${index}`, tensor }));
  }

  /** The state of the layers that draw random numbers. */
  #streams(): NamedTensor[] {
    return randomStreams(this.#parts.model).map((tensor, index) => ({ name: `random/${index}`, tensor }));
  }

  #makeStep(): Executable {
    const { seed = 0, precision } = this.#execution;
    // In float16, the graph itself skips steps that overflow.
    const guard = precision === "float16" ? (loss: tf.Scalar) => loss : guardedLoss;
    return executable((images, labels, weights) => {
      let correct: tf.Scalar | undefined;
      const loss = (random?: RandomSource) => {
        const made = trainingLoss(this.#parts, images as tf.Tensor4D, labels as tf.Tensor1D, {
          weights: weights as tf.Tensor1D | undefined,
          random,
        });
        correct = tf.keep(made.correct);
        return guard(made.loss);
      };
      const { runs } = this.#step;
      // The optimizer computes the gradients, so that in float16 the graph scales the loss.
      const { value, grads } = this.#update.optimizer.computeGradients(
        // A graph draws anew at every run; op by op, each step gets its own random numbers here.
        () => (isTracing() ? loss() : withSeededMath(seed, runs, () => loss(seededRandom(seed, runs)))),
        this.#update.trainable,
      );
      const isFinite = isTracing() || Number.isFinite(value.dataSync()[0]);
      if (isFinite) this.#update.add(grads, labels!.shape[0]!);
      return [value, correct!];
    }, this.#execution);
  }

  #makeApplyWaiting(): Executable {
    return executable(() => {
      this.#update.applyWaiting();
      return [];
    }, this.#execution);
  }
}

/** Replaces an executable by another, which takes over its random state and loss scale. */
async function replaced(old: Executable, made: Executable): Promise<Executable> {
  made.runs = old.runs;
  for (const [index, variable] of made.kept.entries()) variable.assign(old.kept[index]!);
  await old.dispose();
  return made;
}

function finiteResults(results: readonly Values[][]): BatchResult[] | undefined {
  const made = results.map(batchResult);
  return made.every(({ loss }) => Number.isFinite(loss)) ? made : undefined;
}

function batchResult([loss, correct]: readonly Values[]): BatchResult {
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
