import type { OutputEvaluation, TaskEvaluation } from "@convkit/trainer";
import { grouped, percent, table } from "../terminal/format.ts";

/** Loss and metrics in a line. */
export function tasksText({ loss, metrics }: TaskEvaluation): string {
  const named = Object.entries(metrics).map(([name, value]) => `${name} ${tidy(value)}`);
  return [`loss ${tidy(loss)}`, ...named].join(", ");
}

/** A table for each output: its labels, its numbers or its classes. */
export function tasksTable({ outputs }: TaskEvaluation): string {
  return outputs
    .flatMap((output) => {
      const { labels, numbers, perClass, overlaps } = output;
      const title = outputs.length === 1 ? [] : [`${output.output}:`];
      const optional = (value: number | null) => (value === null ? "" : String(tidy(value)));
      if (labels !== undefined)
        return [
          ...title,
          table(
            ["label", "threshold", "precision", "recall", "F1", "AP", "AUC", "best threshold", "images"],
            labels.map(({ label, threshold, precision, recall, f1, averagePrecision, auc, best, support }) => [
              label,
              String(tidy(threshold)),
              percent(precision),
              percent(recall),
              percent(f1),
              optional(averagePrecision),
              optional(auc),
              optional(best?.threshold ?? null),
              grouped(support),
            ]),
          ),
          "A label counts above its threshold.",
        ];
      if (numbers !== undefined)
        return [
          ...title,
          table(
            ["number", "mean absolute error", "RMSE", "R2"],
            numbers.map(({ name, mae, rmse, r2 }) => [name, String(tidy(mae)), String(tidy(rmse)), optional(r2)]),
          ),
        ];
      if (perClass === undefined) return title;
      const rows = perClass.map(({ label, precision, recall, f1, support }, place) => [
        label,
        percent(precision),
        percent(recall),
        percent(f1),
        ...(overlaps === undefined ? [] : [optional(overlaps[place] ?? null)]),
        grouped(support),
      ]);
      const heads = ["class", "precision", "recall", "F1", ...(overlaps === undefined ? [] : ["IoU"]), "images"];
      return [...title, table(heads, rows)];
    })
    .join("\n");
}

/** The outputs without their curves, points and images, for JSON. */
export function shortOutputs({ outputs }: TaskEvaluation): object[] {
  return outputs.map(({ labels, numbers, worst: _worst, masks: _masks, ...rest }: OutputEvaluation) => ({
    ...rest,
    ...(labels && { labels: labels.map(({ curve: _curve, ...label }) => label) }),
    ...(numbers && { numbers: numbers.map(({ points: _points, ...number }) => number) }),
  }));
}

function tidy(value: number): number {
  return Number(value.toPrecision(4));
}
