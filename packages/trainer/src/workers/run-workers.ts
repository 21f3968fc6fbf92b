import { allReduce, executable, type Executable, thisWorker, type Worker } from "@convkit/graph";
import type { Settings } from "../loop/settings.ts";
import { movingStatistics } from "../model/norm-statistics.ts";
import { testBatch } from "../step/test-batch.ts";
import type { StepParts } from "../step/training-loss.ts";
import { TrainerError } from "../trainer-error.ts";
import { WorkerStep } from "./worker-step.ts";
import { mostOwn } from "./worker-part.ts";

/** This process as one of several that train a model together. */
export class RunWorkers {
  readonly worker: Worker;
  readonly step: WorkerStep;
  readonly #agree: Executable;
  /** True once a step has told that a worker asks to end the run; the same in all workers after the same step. */
  isAsked = false;

  constructor(worker: Worker, settings: Settings, { model, metrics }: StepParts) {
    const { batch, data, execution, validationRuntime, accumulate } = settings;
    if (execution.eager === true)
      throw new TrainerError("train: expected a compiled step in several workers, got execution.eager: leave it out.");
    if (validationRuntime !== undefined)
      throw new TrainerError(
        "train: expected no validationRuntime in several workers, which validate together: leave it out.",
      );
    const summed = settings.tasks.find(
      ({ loss: { reduction } }) => reduction === "sum" || reduction === "mean-with-sample-weight",
    );
    if (summed !== undefined && accumulate === 1)
      throw new TrainerError(
        `train: expected a mean over the images in several workers, got the reduction ${summed.loss.reduction}.`,
      );
    if (settings.swa !== undefined)
      throw new TrainerError("train: expected no swa in several workers: leave it out, or train in one process.");
    if (accumulate > 1 && settings.callbacks?.some(({ health }) => health !== undefined))
      throw new TrainerError(
        "train: expected no trainingHealth with accumulate in several workers, whose gradients are averaged only after all batches of an update: leave one of them out.",
      );
    this.worker = worker;
    const largest = Math.max(batch, testBatch(batch, data.train.shape));
    this.step = new WorkerStep(worker, {
      norms: [...movingStatistics(model)],
      synchronizes: settings.syncBatchNorm ?? false,
      most: mostOwn(largest, worker),
      perImage: () => metrics.perImage,
    });
    this.#agree = executable(() => allReduce([this.step.asks.read()], { exact: () => true }));
  }

  /** Takes note of what the workers asked for in some steps. */
  note(results: readonly { readonly asked: boolean }[]): void {
    this.isAsked ||= results.some(({ asked }) => asked);
  }

  /** Tells the others between two epochs whether this worker asks to end the run, and hears whether they do. */
  async agree(asks: boolean): Promise<void> {
    this.step.asks.value = asks ? 1 : 0;
    const [sum] = await this.#agree.run([]);
    this.note([{ asked: sum!.data[0]! > 0 }]);
  }

  async dispose(): Promise<void> {
    await this.#agree.dispose();
  }
}

/** The settings of this process: only the chief has a run directory, and each worker draws random numbers of its own. */
export function settingsOfWorker(settings: Settings): Settings {
  const worker = thisWorker();
  if (worker === undefined || worker.isChief) return settings;
  const { execution, seed } = settings;
  return {
    ...settings,
    out: undefined,
    claim: undefined,
    resume: undefined,
    progress: false,
    execution: { ...execution, seed: seedOfWorker(execution.seed ?? seed, worker.rank) },
  };
}

/** Another seed for each worker; the chief's is the run's. */
export function seedOfWorker(seed: number, rank: number): number {
  return rank === 0 ? seed : (Math.imul(seed ^ (rank * 0x9e_37_79_b1), 0x85_eb_ca_6b) ^ rank) >>> 1;
}
