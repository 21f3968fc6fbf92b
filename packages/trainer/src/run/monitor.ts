import { TrainerError } from "../trainer-error.ts";
import type { EpochLogs } from "./history.ts";

/** The value of an epoch that decides which epoch is better. */
export type Monitor = "loss" | "accuracy" | "valLoss" | "valAccuracy";

export const monitors: readonly Monitor[] = ["loss", "accuracy", "valLoss", "valAccuracy"];

/**
 * True if `value` is better than `best` by more than `minDelta`: losses fall, accuracies rise; any number is better
 * than NaN.
 */
export function improves(monitor: Monitor, value: number, best: number, minDelta = 0): boolean {
  if (Number.isNaN(best)) return !Number.isNaN(value);
  return isLoss(monitor) ? value < best - minDelta : value > best + minDelta;
}

/** A start value that every finite value improves on. */
export function worst(monitor: Monitor): number {
  return isLoss(monitor) ? Infinity : -Infinity;
}

/** Throws `TrainerError` if `monitor` needs validation data and the run has none. */
export function checkMonitor(monitor: Monitor, known: readonly Monitor[]): void {
  if (known.includes(monitor)) return;
  throw new TrainerError(
    `Cannot watch ${monitor}: the run has no validation data; give some, or watch "loss" or "accuracy".`,
  );
}

/** The epoch's value of `monitor`; `checkMonitor` has ensured that it exists. */
export function watched(monitor: Monitor, logs: EpochLogs): number {
  return logs[monitor]!;
}

function isLoss(monitor: Monitor): boolean {
  return monitor === "loss" || monitor === "valLoss";
}
