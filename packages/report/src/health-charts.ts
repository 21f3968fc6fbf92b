import { type HealthRecord, updateRatio, type WeightHealth } from "@convkit/trainer";
import { palette } from "./charts/draw.ts";
import { lineChart, type Series } from "./charts/line-chart.ts";

/** The measured steps of one run. */
export interface HealthRun {
  readonly name: string;
  readonly records: readonly HealthRecord[];
}

/** The weights that a chart over depth shows: kernels, not biases and norms, from the first layer to the last. */
export function kernels({ weights }: HealthRecord): readonly WeightHealth[] {
  const found = weights.filter(({ name }) => /kernel(_\d+)?$/.test(name));
  return found.length === 0 ? weights : found;
}

/** The first, the middle and the last measured step; fewer if there are fewer. */
function shownSteps(records: readonly HealthRecord[]): readonly HealthRecord[] {
  const places = [0, Math.floor((records.length - 1) / 2), records.length - 1];
  return [...new Set(places)].flatMap((place) => records[place] ?? []);
}

/** Curves over depth, one for each of some measured steps; `valuesOf` gives the values from the first layer to the last. */
export function byDepth(
  records: readonly HealthRecord[],
  valuesOf: (record: HealthRecord) => readonly (number | null)[],
): readonly Series[] {
  return shownSteps(records).map((record) => ({
    name: `step ${record.step}`,
    points: overDepth(valuesOf(record)),
  }));
}

/** One curve over depth for each run, from one of its measured steps. */
export function compared(
  runs: readonly HealthRun[],
  pick: (records: readonly HealthRecord[]) => HealthRecord | undefined,
  valuesOf: (record: HealthRecord) => readonly (number | null)[],
): readonly Series[] {
  return runs.map(({ name, records }, index) => {
    const record = pick(records);
    const points = record === undefined ? [] : overDepth(valuesOf(record));
    return { name, points, color: palette[index % palette.length]! };
  });
}

/** The norms of the kernels' gradients by depth, in the first measured step of each run, as an SVG. */
export function gradientChart(
  runs: readonly HealthRun[],
  size: { readonly width?: number; readonly height?: number } = {},
): string {
  const series = compared(runs, (records) => records[0], gradientNorms);
  return lineChart(series, { ...size, logarithmic: true, over: "layer with weights" });
}

/** The norm of the loss' gradient by each kernel. */
export function gradientNorms(record: HealthRecord): number[] {
  return kernels(record).map(({ gradientNorm }) => gradientNorm);
}

/** The ratio of change and weight of each kernel. */
export function ratios(record: HealthRecord): number[] {
  return kernels(record).map(updateRatio);
}

function overDepth(values: readonly (number | null)[]): (readonly [number, number | undefined])[] {
  return values.map((value, index) => [index + 1, value ?? undefined] as const);
}
