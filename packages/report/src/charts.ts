import { HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
  SVGRenderer,
]);

/** Colours that colour-blind people can tell apart (Okabe and Ito 2008), the two main ones first. */
export const palette = [
  "#2563eb",
  "#e07b00",
  "#0f9d75",
  "#c2417c",
  "#7c5cd6",
  "#b8860b",
  "#4a90b8",
  "#6b7280",
] as const;

const ink = "#1f2937";
const faint = "#6b7280";
const line = "#e5e7eb";
const font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** A named curve, over the epochs if nothing else is said. */
export interface Series {
  readonly name: string;
  /** `[epoch, value]`; a value that is not finite leaves a gap, and with a logarithmic axis one that is not above 0. */
  readonly points: readonly (readonly [number, number | undefined])[];
  readonly dashed?: boolean;
  readonly color?: string;
}

interface Size {
  readonly width?: number;
  readonly height?: number;
}

interface LineOptions extends Size {
  /** Labels shares as percents. */
  readonly percent?: boolean;
  readonly logarithmic?: boolean;
  /** Draws a line at that epoch. */
  readonly mark?: number;
  /** What the horizontal axis counts; `epoch` by default. */
  readonly over?: string;
  /** Where the horizontal axis begins; 1 by default. */
  readonly first?: number;
}

/** How many rows the names of the curves take, by about 7 pixels a letter. */
function legendRows(series: readonly Series[], width: number): number {
  let [rows, used] = [1, 0];
  for (const { name } of series) {
    const own = name.length * 7 + 20;
    if (used > 0 && used + own > width) [rows, used] = [rows + 1, 0];
    used += own + 28;
  }
  return rows;
}

/** Curves over the epochs, or over something else, as an SVG. */
export function lineChart(series: readonly Series[], options: LineOptions = {}): string {
  const { width = 560, height = 300, percent = false, logarithmic = false, mark, over = "epoch", first = 1 } = options;
  // Shares are drawn as whole percents: ECharts fails on limits such as 0.9400000000000001.
  const unit = percent ? 100 : 1;
  const isDrawn = (value: number | undefined): value is number =>
    value !== undefined && Number.isFinite(value) && (!logarithmic || value > 0);
  const last = Math.max(1, ...series.flatMap(({ points }) => points.map(([epoch]) => epoch)));
  const values = series.flatMap(({ points }) => points.flatMap(([, value]) => (isDrawn(value) ? [value * unit] : [])));
  return render(width, height, {
    grid: { left: 64, right: 20, top: series.length > 1 ? 12 + 28 * legendRows(series, width - 76) : 16, bottom: 44 },
    ...(series.length > 1 && {
      legend: {
        top: 4,
        left: 56,
        icon: "roundRect",
        itemGap: 28,
        itemWidth: 14,
        itemHeight: 4,
        textStyle: { color: ink },
      },
    }),
    xAxis: {
      type: "value",
      min: Math.min(first, last - 1),
      max: last,
      minInterval: 1,
      name: over,
      nameLocation: "middle",
      nameGap: 28,
      nameTextStyle: { color: faint },
      axisLine: { lineStyle: { color: line } },
      axisLabel: { color: faint },
      splitLine: { show: false },
    },
    yAxis: {
      type: logarithmic ? "log" : "value",
      ...(percent ? percentRange(values) : logarithmic ? powerRange(values) : { scale: true }),
      axisLabel: {
        color: faint,
        formatter: (value: number) => `${tidy(value)}${percent ? " %" : ""}`,
      },
      splitLine: { lineStyle: { color: line } },
    },
    series: series.map(({ name, points, dashed = false, color }, index) => ({
      name,
      type: "line",
      data: points.map(([epoch, value]) => [epoch, isDrawn(value) ? value * unit : null]),
      symbol: "circle",
      symbolSize: 5,
      showSymbol: last <= 30,
      lineStyle: { width: 2.25, type: dashed ? "dashed" : "solid" },
      color: color ?? palette[index % palette.length],
      ...(index === 0 &&
        mark !== undefined && {
          markLine: {
            symbol: "none",
            silent: true,
            label: { formatter: "best", color: faint },
            lineStyle: { color: faint, type: "dotted" },
            data: [{ xAxis: mark }],
          },
        }),
    })),
  });
}

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
    legend: {
      top: 4,
      left: 56,
      icon: "roundRect",
      itemGap: 28,
      itemWidth: 14,
      itemHeight: 4,
      textStyle: { color: ink },
    },
    xAxis: {
      type: "log",
      min: points[0]?.learningRate,
      max: points.at(-1)?.learningRate,
      name: "learning rate",
      nameLocation: "middle",
      nameGap: 28,
      nameTextStyle: { color: faint },
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
      name: "predicted",
      nameLocation: "middle",
      nameGap: margin - 20,
      nameTextStyle: { color: faint },
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: ink, rotate: longest > 3 ? 60 : 0, interval: 0 },
    },
    yAxis: {
      type: "category",
      data: [...labels],
      inverse: true,
      name: "true",
      nameLocation: "middle",
      nameGap: margin - 22,
      nameTextStyle: { color: faint },
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

/** Curves of precision over recall, one a label, as an SVG. Up to eight labels have names. */
export function precisionRecallChart(
  curves: readonly { readonly name: string; readonly points: readonly { precision: number; recall: number }[] }[],
): string {
  const isNamed = curves.length <= palette.length;
  return render(560, 360, {
    grid: { left: 64, right: 20, top: isNamed ? 56 : 16, bottom: 44 },
    ...(isNamed && {
      legend: { top: 4, left: 56, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: ink } },
    }),
    xAxis: shareAxis("recall"),
    yAxis: { ...shareAxis("precision"), nameGap: 44 },
    series: curves.map(({ name, points }, index) => ({
      name,
      type: "line",
      data: points.map(({ precision, recall }) => [recall * 100, precision * 100]),
      showSymbol: false,
      lineStyle: { width: 2, opacity: isNamed ? 1 : 0.5 },
      color: palette[index % palette.length],
    })),
  });
}

function shareAxis(name: string): object {
  return {
    type: "value",
    min: 0,
    max: 100,
    name,
    nameLocation: "middle",
    nameGap: 28,
    nameTextStyle: { color: faint },
    axisLabel: { color: faint, formatter: (value: number) => `${value} %` },
    splitLine: { lineStyle: { color: line } },
  };
}

/** Predicted over true numbers as an SVG, with the line on which both are equal. */
export function scatterChart(points: readonly (readonly [actual: number, predicted: number])[]): string {
  const values = points.flat().filter((value) => Number.isFinite(value));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least || 1) / 20;
  const range = { min: tidy(least - room), max: tidy(most + room) };
  const axis = (name: string, nameGap: number): object => ({
    type: "value",
    ...range,
    name,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: { color: faint },
    axisLabel: { color: faint, formatter: (value: number) => String(tidy(value)) },
    splitLine: { lineStyle: { color: line } },
  });
  return render(560, 420, {
    grid: { left: 76, right: 20, top: 16, bottom: 48 },
    xAxis: axis("true", 30),
    yAxis: axis("predicted", 54),
    series: [
      {
        type: "line",
        data: [
          [range.min, range.min],
          [range.max, range.max],
        ],
        showSymbol: false,
        silent: true,
        lineStyle: { color: faint, type: "dotted", width: 1.5 },
      },
      {
        type: "scatter",
        data: points.map(([actual, predicted]) => [actual, predicted]),
        symbolSize: 5,
        itemStyle: { color: palette[0], opacity: 0.55 },
      },
    ],
  });
}

function render(width: number, height: number, option: object): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: font }, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Axis range for percentages. It starts just below the lowest value and has at most six evenly spaced labels. */
function percentRange(values: readonly number[]): { min: number; max: number; interval: number } {
  const lowest = Math.min(...values, 100);
  const interval = lowest >= 97.5 ? 0.5 : lowest >= 90 ? 2 : lowest >= 50 ? 10 : 20;
  return { min: Math.max(0, Math.floor(lowest / interval) * interval), max: 100, interval };
}

/** Limits of a logarithmic axis: the powers of ten around all values. */
function powerRange(values: readonly number[]): { min?: number; max?: number } {
  if (values.length === 0) return {};
  const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.log10) as [number, number];
  return { min: 10 ** Math.floor(least), max: 10 ** Math.max(Math.ceil(most), Math.floor(least) + 1) };
}

function tidy(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(0) : String(Number(value.toPrecision(4)));
}
