import { lineChart, type Series } from "@convkit/report/charts";
import type { EpochLogs } from "@convkit/trainer";
import { Chart } from "./chart.tsx";

const size = { width: 420, height: 240 };

/** Loss and accuracy over the epochs, on the pictures that are learned and on those kept for validation. */
export function Curves({ history }: { readonly history: readonly EpochLogs[] }) {
  const last = history.at(-1);
  if (last === undefined) return null;
  const series = (
    names: readonly (readonly [name: string, value: (logs: EpochLogs) => number | undefined])[],
  ): Series[] =>
    names
      .map(([name, value]) => ({
        name,
        points: history.map((logs): [number, number | undefined] => [logs.epoch, value(logs)]),
      }))
      .filter(({ points }) => points.some(([, value]) => value !== undefined));
  const loss = series([
    ["loss, training", (logs) => logs.loss],
    ["loss, validation", (logs) => logs.valLoss],
  ]);
  const accuracy = series([
    ["accuracy, training", (logs) => logs.accuracy],
    ["accuracy, validation", (logs) => logs.valAccuracy],
  ]);
  const now = (value: number | undefined): string =>
    value === undefined ? "unknown" : `${(value * 100).toFixed(1)} %`;
  return (
    <div class="charts">
      <Chart
        svg={lineChart(loss, size)}
        label={`The loss over ${history.length} epochs; at last ${last.loss.toFixed(3)}`}
      />
      {accuracy.length > 0 && (
        <Chart
          svg={lineChart(accuracy, { ...size, percent: true })}
          label={`The accuracy over ${history.length} epochs; at last ${now(last.accuracy)} in training, ${now(last.valAccuracy)} in validation`}
        />
      )}
    </div>
  );
}
