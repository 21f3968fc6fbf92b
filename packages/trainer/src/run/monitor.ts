import type { EpochLogs } from "./history.ts";
import { TrainerError } from "../trainer-error.ts";

/** The value of an epoch that decides what is better. */
export type Monitor = "loss" | "accuracy" | "valLoss" | "valAccuracy";

export const monitors = ["loss", "accuracy", "valLoss", "valAccuracy"] as const satisfies readonly Monitor[];

/** Whether `value` is better than `best` by more than `minDelta`: losses fall, accuracies rise. */
export function improves(monitor: Monitor, value: number, best: number, minDelta = 0): boolean {
  return monitor.toLowerCase().endsWith("loss") ? value < best - minDelta : value > best + minDelta;
}

/** The value that anything improves on. */
export function worst(monitor: Monitor): number {
  return monitor.toLowerCase().endsWith("loss") ? Infinity : -Infinity;
}

/** Throws where `monitor` is of validation data that the run does not have. */
export function checkMonitor(monitor: Monitor, known: readonly Monitor[]): void {
  if (known.includes(monitor)) return;
  throw new TrainerError(
    `Cannot watch ${monitor}: the run has no validation data; give some, or watch "loss" or "accuracy".`,
  );
}

/** The watched value, where `checkMonitor` let it pass. */
export function watched(monitor: Monitor, logs: EpochLogs): number {
  return logs[monitor]!;
}
