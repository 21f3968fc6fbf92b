import { axisName, faint, legend, line, palette, render, tidy } from "./draw.ts";

/** A named curve, over the epochs if nothing else is said. */
export interface Series {
  readonly name: string;
  /** `[epoch, value]`; a value that is not finite leaves a gap, and with a logarithmic axis one that is not above 0. */
  readonly points: readonly (readonly [number, number | undefined])[];
  /** Draws a dashed line; false by default. */
  readonly dashed?: boolean;
  /** As CSS writes it; by default the next one of the palette. */
  readonly color?: string;
}

export interface LineOptions {
  /** In pixels; 560 by default. */
  readonly width?: number;
  /** In pixels; 300 by default. */
  readonly height?: number;
  /** Labels shares as percents; false by default. */
  readonly percent?: boolean;
  /** Draws the vertical axis in powers of ten; false by default. */
  readonly logarithmic?: boolean;
  /** Draws a line at that epoch; none by default. */
  readonly mark?: number;
  /** What the horizontal axis counts; `epoch` by default. */
  readonly over?: string;
  /** Where the horizontal axis begins; 1 by default. */
  readonly first?: number;
}

/** How many rows the names of the curves take, by about 7 pixels a letter. */
export function legendRows(series: readonly { readonly name: string }[], width: number): number {
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
    ...(series.length > 1 && { legend }),
    xAxis: {
      type: "value",
      min: Math.min(first, last - 1),
      max: last,
      minInterval: 1,
      ...axisName(over),
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
