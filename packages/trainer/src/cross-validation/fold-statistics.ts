import type { RunResult } from "../loop/train-options.ts";

/** One column of the validations at the ends of the folds' trainings. */
export interface FoldStatistics {
  readonly mean: number;
  /** The standard deviation of a sample (divided by folds - 1). */
  readonly deviation: number;
  /** The value of each fold; NaN for a training that diverged. */
  readonly values: readonly number[];
}

/** Mean and deviation of the last epoch's numbers (of the averaged weights with `swa`) by their columns in `history.csv`: `val_loss`, `val_accuracy`, `val_auc`. */
export function foldStatistics(
  results: readonly Pick<RunResult, "final" | "swa" | "diverged">[],
): Readonly<Record<string, FoldStatistics>> {
  const rows = results.map(({ final, swa, diverged }) => (diverged ? {} : validationColumns(swa ?? final ?? {})));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = rows.map((row) => row[name] ?? Number.NaN);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return [name, { mean, deviation: Math.sqrt(squares / (values.length - 1)), values }];
    }),
  );
}

function validationColumns({
  valLoss,
  valAccuracy,
  metrics,
}: Partial<NonNullable<RunResult["final"]>>): Record<string, number> {
  const validated = Object.entries(metrics ?? {}).filter(([name]) => name.startsWith("val_"));
  return {
    ...(valLoss !== undefined && { val_loss: valLoss }),
    ...(valAccuracy !== undefined && { val_accuracy: valAccuracy }),
    ...Object.fromEntries(validated),
  };
}
