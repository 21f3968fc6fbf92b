import { fromZero, wholeFromOne, wholeFromZero } from "@convkit/errors";
import { join } from "@convkit/files/system";
import { withoutAux } from "@convkit/core";
import { saveModel } from "@convkit/trainer/platform";
import type { JsonValue } from "@convkit/files";
import {
  listOf,
  numberOrNull,
  orNull,
  record,
  shaped,
  type StoredShape,
  storedProblems,
  throwStored,
} from "../checks/stored.ts";
import {
  checkpointPath,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  writeCheckpoint,
} from "../run/checkpoint.ts";
import { type EpochLogs, writeHistory } from "../run/history.ts";
import { improves, isLowerBetter, watched } from "../run/monitor.ts";
import { type RunClaim, type RunDirectory, runDirectory } from "../run/run-directory.ts";
import { checkComplete, restoreRun } from "./restore-run.ts";
import type { Run } from "./run.ts";
import type { RankedCheckpoint, SavedRun, SavedState } from "./saved-run.ts";
import type { Settings } from "./settings.ts";
import type { CheckpointOptions } from "./train-options.ts";

/** The newest checkpoint of the run to resume; undefined if there is none. */
export async function newestCheckpoint({ out, resume }: Settings): Promise<SavedRun | undefined> {
  if (out === undefined || resume === undefined) return undefined;
  const { checkpoints } = runDirectory(out);
  const step = (await listCheckpoints(checkpoints)).at(-1);
  if (step === undefined) return undefined;
  const checkpoint = await readCheckpoint(checkpoints, step);
  throwStored(
    join(checkpointPath(checkpoints, step), "checkpoint.json"),
    storedProblems("state", checkpoint.state, stateShape),
  );
  return { ...checkpoint, state: checkpoint.state as unknown as SavedState };
}

const logsShape: StoredShape = {
  fields: {
    epoch: wholeFromOne,
    loss: numberOrNull,
    lr: numberOrNull,
    seconds: numberOrNull,
  },
  optional: { accuracy: numberOrNull, valLoss: numberOrNull, valAccuracy: numberOrNull, metrics: record },
};

const stateShape: StoredShape = {
  fields: {
    settings: record,
    run: {
      fields: {
        step: wholeFromZero,
        epoch: wholeFromZero,
        batchesDone: wholeFromZero,
        batchesTaken: wholeFromZero,
        sums: { fields: { loss: numberOrNull, correct: numberOrNull, images: wholeFromZero } },
        lastLearningRate: numberOrNull,
        rateFactor: fromZero,
        history: listOf(shaped(logsShape)),
      },
      optional: { pass: wholeFromZero, averaged: wholeFromZero },
    },
    clock: {
      fields: {
        images: wholeFromZero,
        measured: {
          fields: {
            seconds: fromZero,
            secondsInEpoch: fromZero,
            timings: {
              fields: { first: fromZero, step: fromZero, data: fromZero, validation: fromZero, callbacks: fromZero },
            },
            imagesInFirst: wholeFromZero,
          },
        },
      },
    },
    callbacks: record,
    best: orNull(shaped(logsShape)),
    ranking: listOf(shaped({ fields: { step: wholeFromZero, value: numberOrNull } })),
  },
};

/** Writes the run directory: history, best model, checkpoints. Throws `TrainerError` once the claim is lost. */
export class Checkpointing {
  readonly #run: Run;
  readonly #claim: RunClaim;
  readonly #places: RunDirectory;
  readonly #options: Required<{ [Name in keyof Omit<CheckpointOptions, "onError">]: number }>;
  readonly #onError: CheckpointOptions["onError"];
  /** True if the best model could not be written. */
  #lacksModel = false;
  #ranking: readonly RankedCheckpoint[] = [];
  #writtenStep = -1;
  #writtenAt = performance.now();

  constructor(run: Run, out: string, claim: RunClaim) {
    const { every = 1, minutes = 10, keep = 1, keepBest = 0 } = run.settings.checkpoints ?? {};
    this.#run = run;
    this.#claim = claim;
    this.#places = runDirectory(out);
    this.#options = { every, minutes, keep, keepBest };
    this.#onError = run.settings.checkpoints?.onError;
  }

  /** Writes the model with its current weights; auxiliary outputs are left out. */
  async saveModel(): Promise<void> {
    this.#lacksModel = true;
    await this.#attempt(async () => {
      await this.#saveModel();
      this.#lacksModel = false;
    });
  }

  /** Writes the model if it could not be written when its weights became the best. */
  async retryModel(): Promise<void> {
    if (this.#lacksModel) await this.saveModel();
  }

  async writeHistory(): Promise<void> {
    await this.#attempt(() => writeHistory(this.#places.history, this.#run.state.history));
  }

  /** Called after each step: writes a checkpoint if `minutes` have passed. */
  async onStep(): Promise<void> {
    if (performance.now() - this.#writtenAt >= this.#options.minutes * 60_000)
      await this.#run.clock.timed("callbacks", () => this.#write());
  }

  async onEpochEnd(logs: EpochLogs): Promise<void> {
    const { every, keepBest } = this.#options;
    const { step } = this.#run.state;
    const { monitor } = this.#run.settings;
    const watch = { lower: isLowerBetter(monitor, this.#run.training.lowerIsBetter) };
    const ranked = [...this.#ranking, { step, value: finiteOrNull(watched(monitor, logs)) }];
    this.#ranking = ranked
      .toSorted((a, b) => {
        const [first, second] = [a.value ?? Number.NaN, b.value ?? Number.NaN];
        return improves(watch, first, second) ? -1 : improves(watch, second, first) ? 1 : 0;
      })
      .slice(0, keepBest);
    const isKept = this.#ranking.some((each) => each.step === step);
    if ((every > 0 && logs.epoch % every === 0) || isKept) await this.#write();
  }

  async onEnd(): Promise<void> {
    const { step } = this.#run.state;
    if (this.#writtenStep !== step && step > 0) await this.#write();
  }

  /** Restores a run from a checkpoint. Throws `TrainerError` if the checkpoint belongs to another model. */
  async restore(saved: SavedRun): Promise<void> {
    const { step, state, arrays } = saved;
    restoreRun(this.#run, saved);
    if (state.best !== null) {
      // A killed epoch may have saved a better model, but the run resumes from the checkpoint.
      this.#claim.check();
      await this.#saveModel();
    }
    checkComplete(this.#run, step, await this.#run.runner.restore(arrays));
    this.#ranking = state.ranking;
    this.#writtenStep = step;
    await writeHistory(this.#places.history, this.#run.state.history);
    await this.#prune();
  }

  async #saveModel(): Promise<void> {
    const { model, metadata } = this.#run.settings;
    // Outputs with targets of their own belong to the model; auxiliary classifiers only help to train it.
    const isAux = this.#run.parts.tasks.every(({ target }, _, [first]) => target === first!.target);
    await saveModel(isAux ? withoutAux(model) : model, this.#places.model, { format: "tfjs", metadata });
  }

  /** Writes something; hands errors to `onError` if there is one. Throws in any case once the claim is lost. */
  async #attempt(write: () => Promise<void>): Promise<void> {
    this.#claim.check();
    try {
      await write();
    } catch (error) {
      this.#claim.check();
      if (this.#onError === undefined) throw error;
      this.#onError(error as Error);
    }
  }

  async #write(): Promise<void> {
    this.#writtenAt = performance.now();
    await this.#attempt(() => this.#writeCheckpoint());
  }

  async #writeCheckpoint(): Promise<void> {
    const { runner, best, state, clock, callbacks } = this.#run;
    await runner.sync();
    const saved: SavedState = {
      settings: this.#run.lasting,
      run: { ...state.saved(), ...(state.batchesDone > 0 && { metrics: this.#run.parts.metrics.state() }) },
      clock: clock.state(state.batchesDone > 0),
      callbacks: callbacks.state(),
      best: best.logs ?? null,
      ranking: this.#ranking,
    };
    const arrays = [...(await runner.save()), ...(await best.arrays())];
    await writeCheckpoint(this.#places.checkpoints, {
      step: state.step,
      state: saved as unknown as JsonValue,
      arrays,
    });
    this.#writtenStep = state.step;
    await this.#prune();
  }

  async #prune(): Promise<void> {
    const newest = (await listCheckpoints(this.#places.checkpoints)).slice(-this.#options.keep);
    const kept = new Set([...newest, ...this.#ranking.map(({ step }) => step)]);
    await pruneCheckpoints(this.#places.checkpoints, kept);
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
