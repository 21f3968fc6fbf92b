import { writeFileAtomic } from "@convkit/files";
import type { EpochLogs } from "@convkit/trainer";
import { palette } from "./charts/draw.ts";
import { lineChart, type Series } from "./charts/line-chart.ts";
import type { Html } from "./html.ts";
import { curve, grid, page, section } from "./page.ts";

/** One run of a comparison. */
export interface ComparedRun {
  readonly name: string;
  readonly history: readonly EpochLogs[];
}

/**
 * Writes a page that draws the curves of several runs in the same charts. The HTML file needs no other file. Throws if
 * the file cannot be written.
 */
export async function writeComparison(path: string, runs: readonly ComparedRun[]): Promise<void> {
  await writeFileAtomic(path, comparisonPage(runs));
}

function comparisonPage(runs: readonly ComparedRun[]): string {
  const metrics = [...new Set(runs.flatMap(({ history }) => history.flatMap((row) => Object.keys(row.metrics ?? {}))))];
  const chart = (
    title: string,
    key: Exclude<keyof EpochLogs, "metrics">,
    options: { readonly percent?: boolean; readonly logarithmic?: boolean } = {},
  ): Html[] => {
    const series: Series[] = runs.map(({ name, history }, index) => ({
      name,
      points: history.map((row) => [row.epoch, row[key]] as const),
      color: palette[index % palette.length]!,
    }));
    const any = series.some(({ points }) => points.some(([, value]) => value !== undefined));
    return any
      ? [
          section(
            title,
            curve((width) => lineChart(series, { ...options, width })),
          ),
        ]
      : [];
  };
  const names = runs.map(({ name }) => name).join(", ");
  return page("Comparison of runs", names, [
    grid([
      ...chart("Validation loss", "valLoss"),
      ...chart("Validation accuracy", "valAccuracy", { percent: true }),
      ...chart("Training loss", "loss"),
      ...chart("Training accuracy", "accuracy", { percent: true }),
      ...metrics.map((name) =>
        section(
          name.replace(/^val_(.*)$/, "Validation: $1"),
          curve((width) => lineChart(metricSeries(runs, name), { width })),
        ),
      ),
      ...chart("Learning rate", "lr"),
      ...chart("Seconds an epoch", "seconds"),
    ]),
  ]);
}

function metricSeries(runs: readonly ComparedRun[], metric: string): Series[] {
  return runs.map(({ name, history }, index) => ({
    name,
    points: history.map(({ epoch, metrics }) => [epoch, metrics?.[metric]] as const),
    color: palette[index % palette.length]!,
  }));
}
