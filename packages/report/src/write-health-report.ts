import { OptionError, shown } from "@convkit/errors";
import { writeFileAtomic } from "@convkit/files";
import { type HealthRecord, updateRatio } from "@convkit/trainer";
import { lineChart, type Series } from "./charts/line-chart.ts";
import { byDepth, compared, gradientChart, gradientNorms, type HealthRun, kernels, ratios } from "./health-charts.ts";
import type { Html } from "./html.ts";
import { curve, grid, page, section, tableOf, tiles } from "./page.ts";

export type { HealthRun } from "./health-charts.ts";

/**
 * Writes a page on the health of a training, from the steps that `trainingHealth` measured: gradients, updates, activations and dead
 * units by depth and over time. Several runs are compared by their gradients at the start. The HTML file needs no other file. Throws an
 * `OptionError` for a run without measured steps, a `FileError` if the file cannot be written.
 */
export async function writeHealthReport(path: string, runs: readonly HealthRun[]): Promise<void> {
  if (!Array.isArray(runs) || runs.length === 0) {
    throw new OptionError(`writeHealthReport: expected a list of runs, [{ name, records }], got ${shown(runs)}.`);
  }
  const empty = runs.find(({ records }) => records.length === 0);
  if (empty !== undefined) {
    throw new OptionError(`writeHealthReport: expected at least one measured step, ${empty.name} has none.`);
  }
  await writeFileAtomic(path, healthPage(runs));
}

function healthPage(runs: readonly HealthRun[]): string {
  const [only, ...others] = runs;
  if (others.length > 0)
    return page("Health of trainings", runs.map(({ name }) => name).join(", "), [grid(comparedSections(runs))]);
  const { name, records } = only!;
  return page(`Health of ${name}`, "Gradients, updates, activations and dead units", [
    tiles(summary(records)),
    grid(sections(only!)),
  ]);
}

function comparedSections(runs: readonly HealthRun[]): Html[] {
  const first = (records: readonly HealthRecord[]) => records[0];
  const last = (records: readonly HealthRecord[]) => records.at(-1);
  const depth = { logarithmic: true, over: "layer with weights" };
  const norms = ({ activations }: HealthRecord) => activations.map(({ norm }) => norm);
  return [
    section(
      "Gradients by depth at the start",
      curve((width) => gradientChart(runs, { width, height: 420 }), 1160),
      {
        wide: true,
        note: "Norm of the loss' gradient by each kernel, in the first measured step. A curve that falls by orders of magnitude towards the first layer is a vanishing gradient.",
      },
    ),
    section(
      "Gradients by depth at the end",
      curve((width) => lineChart(compared(runs, last, gradientNorms), { ...depth, width })),
      {
        note: "The same in the last measured step.",
      },
    ),
    section(
      "Updates by depth at the end",
      curve((width) => lineChart(compared(runs, last, ratios), { ...depth, width })),
      {
        note: "Norm of the change over norm of the kernel, in the last measured step.",
      },
    ),
    section(
      "Activations by depth at the start",
      curve((width) => lineChart(compared(runs, first, norms), { width, logarithmic: true, over: "activation" })),
      { note: "Root of the mean square of each activation's outputs, in the first measured step." },
    ),
  ];
}

function summary(records: readonly HealthRecord[]): [string, string][] {
  const last = records.at(-1)!;
  const found = kernels(last);
  const [first, final] = [found[0]?.gradientNorm ?? NaN, found.at(-1)?.gradientNorm ?? NaN];
  const dead = last.activations.flatMap((each) => (each.dead === null ? [] : [each.dead]));
  return [
    [String(records.length), `measured steps, up to step ${last.step}`],
    [brief(first / final), "gradient norm of the first kernel over that of the last"],
    [brief(median(ratios(last))), "update over weight, median of the kernels"],
    ...(dead.length === 0
      ? []
      : [[percent(Math.max(...dead)), "dead units in the layer with the most"] as [string, string]]),
  ];
}

function sections({ records }: HealthRun): Html[] {
  const last = records.at(-1)!;
  const depth = { logarithmic: true, over: "layer with weights" };
  const activation = { over: "activation" };
  const hasDead = last.activations.some(({ dead }) => dead !== null);
  return [
    section(
      "Gradients by depth",
      curve((width) => lineChart(byDepth(records, gradientNorms), { ...depth, width })),
      {
        note: "Norm of the loss' gradient by each kernel. A curve that falls by orders of magnitude towards the first layer is a vanishing gradient.",
      },
    ),
    section(
      "Updates by depth",
      curve((width) => lineChart(byDepth(records, ratios), { ...depth, width })),
      {
        note: "Norm of the change over norm of the kernel. A rule of thumb wants about 0.001; far more is unstable, far less learns slowly.",
      },
    ),
    section(
      "Activations by depth",
      curve((width) =>
        lineChart(
          byDepth(records, ({ activations }) => activations.map(({ norm }) => norm)),
          { ...activation, width, logarithmic: true },
        ),
      ),
      { note: "Root of the mean square of each activation's outputs." },
    ),
    ...(hasDead
      ? [
          section(
            "Dead units by depth",
            curve((width) =>
              lineChart(
                byDepth(records, ({ activations }) => activations.map(({ dead }) => dead)),
                { ...activation, width, percent: true },
              ),
            ),
            {
              note: "Share of ReLU units, of channels in convolutions, that are zero on all images of the batch.",
            },
          ),
        ]
      : []),
    section(
      "Gradients over time",
      curve((width) => lineChart(overTime(records), { width, logarithmic: true, over: "step" })),
      {
        note: "Norm of the gradient by the first, the middle and the last kernel.",
      },
    ),
    section(`Weights in step ${last.step}`, weightTable(last), { wide: true }),
    section(`Activations in step ${last.step}`, activationTable(last), { wide: true }),
  ];
}

function overTime(records: readonly HealthRecord[]): readonly Series[] {
  const names = kernels(records[0]!).map(({ name }) => name);
  const shown = [...new Set([names[0], names[Math.floor((names.length - 1) / 2)], names.at(-1)])];
  return shown.flatMap((name) =>
    name === undefined
      ? []
      : [
          {
            name,
            points: records.map(({ step, weights }) => {
              return [step, weights.find((weight) => weight.name === name)?.gradientNorm] as const;
            }),
          },
        ],
  );
}

function weightTable({ weights }: HealthRecord): Html {
  const rows = weights.map((weight) => [
    weight.name,
    weight.size.toLocaleString("en-US"),
    brief(weight.gradientNorm),
    brief(weight.weightNorm),
    brief(weight.updateNorm),
    brief(updateRatio(weight)),
  ]);
  return tableOf(["weight", "values", "gradient norm", "weight norm", "update norm", "update / weight"], rows);
}

function activationTable({ activations }: HealthRecord): Html {
  const rows = activations.map(({ layer, mean, deviation, norm, dead }) => [
    layer,
    brief(mean),
    brief(deviation),
    brief(norm),
    dead === null ? "" : percent(dead),
  ]);
  return tableOf(["layer", "mean", "deviation", "norm", "dead units"], rows);
}

function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

function brief(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
