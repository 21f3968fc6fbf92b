import { axisName, faint, legend, line, palette, render, tidy } from "./draw.ts";

/** Losses over learning rates as an SVG: each loss, their moving average, and the suggested rates. */
export function rateChart(
  points: readonly { readonly learningRate: number; readonly loss: number; readonly smoothed: number }[],
  marks: Readonly<Record<string, number | undefined>> = {},
): string {
  const least = Math.min(...points.map(({ smoothed }) => smoothed).filter(Number.isFinite));
  // A loss that explodes would flatten the rest of the curve.
  const most = Math.max(...points.slice(0, 3).map(({ smoothed }) => smoothed), least) * 1.5;
  const pointsOf = (key: "loss" | "smoothed") =>
    points.map((point) => [point.learningRate, point[key] <= most ? point[key] : null]);
  const lines = Object.entries(marks).flatMap(([name, rate]) => (rate === undefined ? [] : [{ xAxis: rate, name }]));
  return render(640, 340, {
    grid: { left: 64, right: 24, top: 40, bottom: 44 },
    legend,
    xAxis: {
      type: "log",
      min: points[0]?.learningRate,
      max: points.at(-1)?.learningRate,
      ...axisName("learning rate"),
      axisLine: { lineStyle: { color: line } },
      axisLabel: { color: faint, formatter: (value: number) => value.toExponential(0) },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      scale: true,
      axisLabel: { color: faint, formatter: tidy },
      splitLine: { lineStyle: { color: line } },
    },
    series: [
      { name: "loss", type: "line", data: pointsOf("loss"), showSymbol: false, lineStyle: { width: 1 }, color: line },
      {
        name: "moving average",
        type: "line",
        data: pointsOf("smoothed"),
        showSymbol: false,
        lineStyle: { width: 2.25 },
        color: palette[0],
        markLine: {
          symbol: "none",
          silent: true,
          label: { formatter: "{b}", color: faint },
          lineStyle: { color: faint, type: "dotted" },
          // ECharts rounds to two places by default.
          precision: 12,
          data: lines,
        },
      },
    ],
  });
}
