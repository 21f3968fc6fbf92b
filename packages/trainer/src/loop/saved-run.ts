import type { JsonValue } from "@convkit/files";
import type { Checkpoint } from "../run/checkpoint.ts";
import type { EpochLogs } from "../run/history.ts";
import type { ClockState } from "./run-clock.ts";
import type { SavedRunState } from "./run-state.ts";

/** The part of a checkpoint besides its arrays. */
export type SavedState = {
  readonly settings: Readonly<Record<string, JsonValue>>;
  readonly run: SavedRunState;
  readonly clock: ClockState;
  readonly callbacks: Readonly<Record<string, JsonValue>>;
  readonly best: EpochLogs | null;
  readonly ranking: readonly RankedCheckpoint[];
};

/** A checkpoint of one of the best epochs, with the watched value of that epoch. */
export interface RankedCheckpoint {
  readonly step: number;
  readonly value: number | null;
}

/** A checkpoint of a run. */
export type SavedRun = Omit<Checkpoint, "state"> & { readonly state: SavedState };
