import { type ValueRule } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import type { EpochLogs } from "./history.ts";

/**
 * The value of an epoch that decides which epoch is better: `loss`, `accuracy`, `valLoss`, `valAccuracy`, or a metric by
 * its column in `history.csv`, such as `auc` or `val_auc`.
 */
// oxlint-disable-next-line ban-types -- keeps the four names in the completion of editors
export type Monitor = "loss" | "accuracy" | "valLoss" | "valAccuracy" | (string & {});

export const monitors: readonly Monitor[] = ["loss", "accuracy", "valLoss", "valAccuracy"];

/**
 * True if `value` is better than `best` by more than `minDelta`: losses fall, accuracies rise, metrics as they say; any
 * number is better than NaN.
 */
export function improves(monitor: Watched, value: number, best: number, minDelta = 0): boolean {
  if (Number.isNaN(best)) return !Number.isNaN(value);
  return isLower(monitor) ? value < best - minDelta : value > best + minDelta;
}

/** A start value that every finite value improves on. */
export function worst(monitor: Watched): number {
  return isLower(monitor) ? Infinity : -Infinity;
}

/** Throws `TrainerError` if `monitor` needs validation data and the run has none. */
export function checkMonitor(monitor: Monitor, known: readonly Monitor[]): void {
  if (known.includes(monitor)) return;
  if (known.includes(withoutValidation(monitor)))
    throw new TrainerError(
      `Cannot watch ${monitor}: the run has no validation data; give some, or watch "loss" or "accuracy".`,
    );
  throw new TrainerError(`Cannot watch ${monitor}: the run has ${known.join(", ")}.`);
}

/** The epoch's value of `monitor`; `checkMonitor` has ensured that it exists. */
export function watched(monitor: Monitor, logs: EpochLogs): number {
  const { loss, accuracy, valLoss, valAccuracy } = logs;
  const values: Readonly<Record<string, number | undefined>> = {
    ...logs.metrics,
    loss,
    accuracy,
    valLoss,
    valAccuracy,
  };
  return values[monitor] ?? Number.NaN;
}

/** A monitor, and whether lower is better; without that, lower is better for losses. */
export type Watched = Monitor | { readonly lower: boolean };

function isLower(monitor: Watched): boolean {
  return typeof monitor === "object" ? monitor.lower : monitor === "loss" || monitor === "valLoss";
}

/** Whether lower is better for a monitor, by the run's list of such monitors. */
export function isLowerBetter(monitor: Monitor, lower: readonly Monitor[] = ["loss", "valLoss"]): boolean {
  return lower.includes(monitor);
}

/** A field with a monitor: one of the four, or a metric of the plan, as in `auc`, `val_auc`, `age_mae` or `f1.cat`. */
export function knownMonitor(metrics: readonly string[]): ValueRule {
  return [
    `one of ${[...monitors, ...metrics.flatMap((name) => [name, `val_${name}`])].join(", ")}`,
    (value) => typeof value === "string" && (monitors.includes(value) || isMetric(value, metrics)),
  ];
}

/** True for the column of a metric: with `val_`, with the name of an output before it, or of a class after it. */
function isMetric(monitor: string, metrics: readonly string[]): boolean {
  const [column = ""] = monitor.replace(/^val_/, "").split(".");
  return metrics.some((name) => column === name || column.endsWith(`_${name}`));
}

/** The training's name of a validation value. */
export function withoutValidation(monitor: Monitor): Monitor {
  if (monitor === "valLoss") return "loss";
  return monitor === "valAccuracy" ? "accuracy" : monitor.replace(/^val_/, "");
}
