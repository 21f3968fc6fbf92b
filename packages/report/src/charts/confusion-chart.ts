import { axisName, ink, render } from "./draw.ts";

/** A confusion matrix as an SVG: rows are the true classes, a row's colours are shares of that class. */
export function confusionChart(counts: readonly (readonly number[])[], labels: readonly string[]): string {
  const size = labels.length;
  const cell = size <= 12 ? 46 : size <= 25 ? 28 : 14;
  const longest = Math.max(...labels.map((label) => label.length));
  const margin = Math.min(170, 30 + longest * 7);
  const totals = counts.map((row) =>
    Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    ),
  );
  const data = counts.flatMap((row, actual) =>
    row.map((count, predicted) => ({ value: [predicted, actual, count / totals[actual]!], count })),
  );
  return render(margin + size * cell + 24, margin + size * cell + 34, {
    grid: { left: margin, top: 12, width: size * cell, height: size * cell },
    xAxis: {
      type: "category",
      data: [...labels],
      ...axisName("predicted", margin - 20),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: ink, rotate: longest > 3 ? 60 : 0, interval: 0 },
    },
    yAxis: {
      type: "category",
      data: [...labels],
      inverse: true,
      ...axisName("true", margin - 22),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: ink, interval: 0 },
    },
    visualMap: {
      show: false,
      min: 0,
      max: 1,
      dimension: 2,
      // See-through, so that it suits a light page and a dark one.
      inRange: { color: ["rgba(37,99,235,0.04)", "rgba(37,99,235,1)"] },
    },
    series: [
      {
        type: "heatmap",
        data: data.map(({ value, count }) => ({
          value,
          label: {
            show: count > 0 && size <= 25,
            formatter: String(count),
            fontSize: size <= 12 ? 12 : 9,
            color: value[2]! > 0.45 ? "#ffffff" : ink,
          },
        })),
        itemStyle: { borderColor: "#ffffff", borderWidth: 1 },
      },
    ],
  });
}
