import { randomStreams } from "@convkit/core/internal";
import { type Batch, type RandomSource, seededRandom } from "@convkit/datasets";
import { executable, type Executable, type ExecutionOptions, type Feed, isTracing, type Values } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { HealthProbe } from "../health/health-probe.ts";
import type { HealthRequest, StepHealth } from "../health/step-health.ts";
import { NormStatistics } from "../model/norm-statistics.ts";
import { modelOutputs } from "../objective/model-outputs.ts";
import { type SavedArray, savedArray } from "../run/checkpoint.ts";
import type { BatchResult, TrainCall } from "./batch-result.ts";
import { handOver, replaced } from "./hand-over.ts";
import { isBadLoss } from "./non-finite-loss.ts";
import { withSeededMath } from "./seeded-math.ts";
import { preparedBatch, type StepParts, testLoss } from "./training-loss.ts";
import { trainingStep } from "./training-step.ts";
import { ownSize } from "../workers/worker-part.ts";
import type { WorkerStep } from "../workers/worker-step.ts";
import { type NamedTensor, type UpdateOptions, WeightUpdate } from "./weight-update.ts";

/** The training step that also measures itself, and the update of accumulated gradients that does. */
interface MeasuredStep {
  readonly probe: HealthProbe;
  readonly step: Executable;
  readonly applyWaiting: Executable | undefined;
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
  readonly #addToMean: Executable | undefined;
  readonly #adoptMean: Executable | undefined;
  readonly #health: Pick<HealthRequest, "gradients">;
  readonly #isAccumulating: boolean;
  readonly #together: WorkerStep | undefined;
  #measured: MeasuredStep | undefined;
  /** Reads the last measured step once the waiting gradients are applied. */
  #waitingHealth: ((update: Values) => StepHealth) | undefined;

  constructor(
    parts: StepParts,
    update: UpdateOptions,
    execution: ExecutionOptions = {},
    health: Pick<HealthRequest, "gradients"> = { gradients: false },
    together?: WorkerStep,
  ) {
    this.#parts = parts;
    this.#together = together;
    this.#execution = execution;
    this.#health = health;
    this.#isAccumulating = (update.accumulate ?? 1) > 1;
    this.#update = new WeightUpdate(parts.model, update);
    this.#step = this.#makeStep();
    this.#applyWaiting = this.#isAccumulating ? this.#makeApplyWaiting() : undefined;
    this.#test = executable((...fed) => {
      const made = testLoss(parts, parts.layout.tensors(fed));
      if (together !== undefined) return together.sum(made, {}, { movesNorms: false }).outputs;
      return [made.loss, made.correct, ...made.statistics];
    }, execution);
    const { average, mean } = this.#update;
    this.#addToMean = mean && this.#change(() => mean.add());
    this.#adoptMean = mean && this.#change(() => mean.adopt());
    // Swaps in the engine, which holds the values. In JavaScript, every validation would copy all weights.
    this.#swap = average && this.#change(() => average.swap());
  }

  /**
   * Runs one step for each batch; the batches have equal sizes. Several steps go in one call. Returns undefined if a
   * loss was not finite: that step and later ones changed no weight.
   */
  async train(
    batches: readonly Batch[],
    { learningRates, weights, asks = false, isMeasured = () => false }: TrainCall,
  ): Promise<BatchResult[] | undefined> {
    const setRate = (place: number) => {
      this.#update.setRate(learningRates[place]!);
      this.#tell(batches[place]!, asks);
    };
    const calls = batches.map((batch) => this.#parts.layout.feeds(batch, weights(batch)));
    try {
      if (calls.length > 1 && !calls.some((_, place) => isMeasured(place))) {
        setRate(0);
        const made = await this.#step.runAll(calls, setRate);
        return finiteResults(made.map((values, place) => this.#result(values, batches[place]!)));
      }
    } catch (error) {
      if (!isBadLoss(error)) throw error;
      // The engine undid all steps of the call. The steps before the failing one are repeated one by one.
    }
    try {
      const results: BatchResult[] = [];
      for (const [place, call] of calls.entries()) {
        setRate(place);
        const batch = batches[place]!;
        results.push(
          isMeasured(place) ? await this.#measure(call, batch) : this.#result(await this.#step.run(call), batch),
        );
      }
      return finiteResults(results);
    } catch (error) {
      if (isBadLoss(error)) return undefined;
      throw error;
    }
  }

  /**
   * Updates the weights with the gradients that `accumulate` has collected. Returns the norms of the last step, if it was measured.
   */
  async applyWaiting(learningRate: number): Promise<StepHealth | undefined> {
    this.#update.setRate(learningRate);
    const read = this.#waitingHealth;
    this.#waitingHealth = undefined;
    if (read === undefined) {
      await this.#applyWaiting?.run([]);
      return undefined;
    }
    const [update] = await this.#measuredStep().applyWaiting!.run([]);
    return read(update!);
  }

  /** Runs one step that measures itself; it draws the random numbers that the ordinary step would draw. */
  async #measure(call: readonly Feed[], batch: Batch): Promise<BatchResult> {
    const { probe, step } = this.#measuredStep();
    await handOver(this.#step, step);
    const rest = await step.run(call);
    const { size } = this.#parts.metrics;
    const own = rest.splice(0, this.#together?.outputs(size) ?? 2 + size);
    const [activations, gradients, update, ...raw] = rest;
    await handOver(step, this.#step);
    const result = this.#result(own, batch);
    const read = (changes: Values): StepHealth => probe.read(activations!.data, gradients!.data, changes.data, raw);
    if (!this.#isAccumulating) return { ...result, health: read(update!) };
    this.#waitingHealth = read;
    return result;
  }

  #measuredStep(): MeasuredStep {
    if (this.#measured === undefined) {
      const probe = new HealthProbe(this.#parts.model, this.#health);
      const applyWaiting = this.#isAccumulating ? this.#makeApplyWaiting(probe) : undefined;
      this.#measured = { probe, step: this.#makeStep(probe), applyWaiting };
    }
    return this.#measured;
  }

  /** Loss and number of correct predictions for a validation batch. */
  async test(batch: Batch, asks = false): Promise<BatchResult> {
    this.#tell(batch, asks);
    return this.#result(await this.#test.run(this.#parts.layout.feeds(batch)), batch);
  }

  /** Sets what this worker tells the others in the next step. */
  #tell(batch: Batch, asks: boolean): void {
    if (this.#together === undefined) return;
    this.#together.images.value = ownSize(batch);
    this.#together.asks.value = asks ? 1 : 0;
  }

  #result(values: readonly Values[], batch: Batch): BatchResult {
    if (this.#together !== undefined) return this.#together.read(values);
    const [loss, correct, ...statistics] = values;
    const [images, asked] = [batch.labels.length, false];
    return { loss: loss!.data[0]!, correct: correct!.data[0]!, images, asked, statistics: [statistics] };
  }

  /** Makes the weights readable in the model. */
  async sync(): Promise<void> {
    // Each executable knows only the variables that it has used in this process.
    const { step, applyWaiting } = this.#measured ?? {};
    const means = [this.#addToMean, this.#adoptMean];
    const all = [this.#step, this.#applyWaiting, this.#swap, ...means, step, applyWaiting];
    await Promise.all(all.map((each) => each?.sync()));
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

  /** Adds the weights to their mean. */
  async addToMean(): Promise<void> {
    await this.#addToMean?.run([]);
  }

  /** Replaces the weights by their mean, and computes the statistics of the norms anew on `batches`. */
  async adoptMean(batches: AsyncIterable<Batch>): Promise<void> {
    await this.#adoptMean?.run([]);
    const statistics = new NormStatistics(this.#parts.model);
    const { seed = 0 } = this.#execution;
    const observe: Executable = executable((...fed) => {
      const batch = this.#parts.layout.tensors(fed);
      const forward = (random?: RandomSource) => {
        const { images } = preparedBatch(this.#parts, batch, random);
        modelOutputs(this.#parts.model, [images, ...batch.inputs], { training: true });
      };
      const { runs } = observe;
      const seeded = () => withSeededMath(seed, runs, () => forward(seededRandom(seed, runs)));
      statistics.observe(isTracing() ? forward : seeded);
      return [];
    }, this.#execution);
    const adopt = this.#change(() => statistics.adopt());
    try {
      if (!statistics.isEmpty) {
        for await (const batch of batches) await observe.run(this.#parts.layout.feeds(batch));
        await adopt.run([]);
        await Promise.all([observe, adopt].map((each) => each.sync()));
      }
      await this.sync();
    } finally {
      await Promise.all([observe, adopt].map((each) => each.dispose()));
      statistics.dispose();
    }
  }

  /** Changes variables in the engine, which holds their values. */
  #change(fn: () => void): Executable {
    return executable(() => {
      fn();
      return [];
    }, this.#execution);
  }

  /** Updates the steps after layers became trainable or frozen. */
  async refresh(): Promise<void> {
    if (!this.#update.refresh()) return;
    await this.sync();
    const { step, applyWaiting } = this.#measured ?? {};
    await Promise.all([step?.dispose(), applyWaiting?.dispose()]);
    this.#measured = undefined;
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
    const { step, applyWaiting } = this.#measured ?? {};
    const changes = [this.#swap, this.#addToMean, this.#adoptMean];
    const executables = [this.#step, this.#applyWaiting, this.#test, ...changes, step, applyWaiting];
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

  /** The training step; with a probe it also returns the probe's measurements. */
  #makeStep(probe?: HealthProbe): Executable {
    return trainingStep({
      parts: this.#parts,
      update: this.#update,
      execution: this.#execution,
      isAccumulating: this.#isAccumulating,
      together: this.#together,
      runs: () => this.#step.runs,
      probe,
    });
  }

  #makeApplyWaiting(probe?: HealthProbe): Executable {
    return executable(() => {
      const before = probe?.before(this.#update.trainable);
      this.#update.applyWaiting();
      return before === undefined ? [] : [probe!.update(before)];
    }, this.#execution);
  }
}

function finiteResults(results: BatchResult[]): BatchResult[] | undefined {
  return results.every(({ loss }) => Number.isFinite(loss)) ? results : undefined;
}
