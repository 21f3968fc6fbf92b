import { withoutAux } from "@convkit/core";
import type { BestWeights } from "../run/best-weights.ts";
import {
  type Checkpoint,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  type SavedArray,
  writeCheckpoint,
} from "../run/checkpoint.ts";
import { type EpochLogs, writeHistory } from "../run/history.ts";
import type { JsonValue } from "@convkit/files";
import { loadModel, type ModelMetadata, pruneWeights, saveModel } from "../run/model-files.ts";
import { improves, type Monitor, watched } from "../run/monitor.ts";
import type { RunDirectory } from "../run/run-directory.ts";
import type { Runner } from "../step/step-runner.ts";
import type { Session, SessionState } from "./run-state.ts";

/** When checkpoints are written and which are kept. */
export interface CheckpointOptions {
  /** Every so many epochs; 0 for none but the last. */
  readonly every?: number;
  /** Minutes after which one is written in the middle of an epoch. */
  readonly minutes?: number;
  /** How many of the newest are kept. */
  readonly keep?: number;
  /** How many of the best epochs' are kept besides. */
  readonly keepBest?: number;
}

interface Parts extends CheckpointOptions {
  readonly run: Session;
  readonly best: BestWeights;
  readonly runner: Runner;
  readonly monitor: Monitor;
  readonly metadata: ModelMetadata;
}

type State = {
  readonly session: SessionState;
  readonly best: EpochLogs | null;
  /** The file of the best weights in `model/`. */
  readonly bestWeights: string | null;
  readonly ranking: readonly Ranked[];
};
type Ranked = { readonly step: number; readonly value: number };

/** Writes a run's best model and its checkpoints, and takes it up again from the newest. */
export function checkpointing(places: RunDirectory, parts: Parts) {
  const { run, best, runner, monitor, metadata, every = 1, minutes = 10, keep = 1, keepBest = 0 } = parts;
  let ranking: Ranked[] = [];
  let written = -1;
  let writtenAt = performance.now();
  let bestWeights: string | undefined;
  /** The one that the newest checkpoint names: should the run be killed before the next, it is the best again. */
  let resumable: string | undefined;

  const saveBest = async () => {
    bestWeights = await saveModel(withoutAux(run.model), places.model, metadata, { keep: resumable });
  };
  const prune = async () => {
    const newest = (await listCheckpoints(places.checkpoints)).slice(-keep);
    await pruneCheckpoints(places.checkpoints, new Set([...newest, ...ranking.map(({ step }) => step)]));
  };

  const write = async () => {
    await run.syncWeights();
    const state: State = {
      session: run.state(),
      best: best.logs ?? null,
      bestWeights: bestWeights ?? null,
      ranking,
    };
    await writeCheckpoint(places.checkpoints, {
      step: run.step,
      state: state as unknown as JsonValue,
      arrays: await runner.save(),
    });
    written = run.step;
    writtenAt = performance.now();
    if (resumable !== bestWeights) await pruneWeights(places.model, [bestWeights]);
    resumable = bestWeights;
    await prune();
  };

  return {
    /** Writes the model, whose weights are the best yet. */
    saveBest,
    /** Called after each step; writes when the minutes are over. */
    onStep(): Promise<void> | undefined {
      return performance.now() - writtenAt < minutes * 60_000 ? undefined : run.timed("callbacks", write);
    },
    async onEpochEnd(logs: EpochLogs): Promise<void> {
      if (keepBest > 0) {
        const value = watched(monitor, logs);
        ranking = [...ranking, { step: run.step, value }]
          .toSorted((a, b) => (improves(monitor, a.value, b.value) ? -1 : 1))
          .slice(0, keepBest);
      }
      if ((every > 0 && logs.epoch % every === 0) || ranking.some(({ step }) => step === run.step)) await write();
    },
    async onEnd(): Promise<void> {
      if (written !== run.step && run.step > 0) await write();
    },
    /** Puts everything back as the newest checkpoint has it; a run that was killed before its first begins anew. */
    async restore(): Promise<void> {
      const step = (await listCheckpoints(places.checkpoints)).at(-1);
      if (step === undefined) return;
      const checkpoint: Checkpoint & { readonly arrays: readonly SavedArray[] } = await readCheckpoint(
        places.checkpoints,
        step,
      );
      const state = checkpoint.state as unknown as State;
      if (state.best !== null && state.bestWeights !== null) {
        resumable = state.bestWeights;
        const { model } = await loadModel(places.model, { weightsName: resumable });
        withoutAux(run.model).setWeights(model.getWeights());
        model.dispose();
        best.adopt(state.best);
        // An epoch that the run was killed in may have been better; the model goes back to where the run does.
        await saveBest();
      }
      await runner.restore(checkpoint.arrays);
      run.restore(state.session);
      await writeHistory(places.history, run.history);
      ranking = [...state.ranking];
      written = step;
      await prune();
    },
  };
}
