import * as echarts from "echarts";
import { groupBy } from "./group-by.ts";
import type { Result } from "./result.ts";
import { type SystemName, systemNames } from "../cases/systems.ts";

const themes = {
  light: { text: "#1f2328", faint: "#d1d9e0", background: "#ffffff" },
  dark: { text: "#f0f6fc", faint: "#3d444d", background: "#0d1117" },
} as const;

/** Height of a row, in pixels. */
const rowHeight = 17;

/** A circle with a hole. ECharts would fill its own empty circle with white, even on a dark background. */
const ring = "path://M8,0 A8,8 0 1,0 8,16 A8,8 0 1,0 8,0 Z M8,4 A4,4 0 1,1 8,12 A4,4 0 1,1 8,4 Z";

const symbols: Readonly<Record<SystemName, string>> = {
  convkit: "diamond",
  "convkit-bf16": "diamond",
  "convkit-wasm": "triangle",
  "tfjs-node": "triangle",
  "tfjs-cpu": "triangle",
  keras: "circle",
  torch: "rect",
  onnxruntime: ring,
  openvino: "circle",
};

const colors: Readonly<Record<SystemName, string>> = {
  convkit: "#0969da",
  "convkit-bf16": "#54aeff",
  "convkit-wasm": "#8250df",
  "tfjs-node": "#bc4c00",
  "tfjs-cpu": "#e16f24",
  keras: "#cf222e",
  torch: "#d4a72c",
  onnxruntime: "#6e7781",
  openvino: "#1a7f37",
};

/** Rows slower than this share of the fastest peer are not drawn; the table has them. */
const slowest = 0.05;
const fastest = 8;

/**
 * Draws an SVG of speeds relative to the fastest peer (which is 1), one line of dots per training or prediction case.
 * Undefined if no such case has numbers of both a peer and convkit.
 */
export function chartSvg({ rows }: Result, theme: keyof typeof themes): string | undefined {
  const drawn = rows.filter(
    (row) =>
      /^(train|predict)\//.test(row.case) &&
      row.system !== "tfjs-cpu" &&
      row.ratioToFastestPeer !== null &&
      row.ratioToFastestPeer >= slowest,
  );
  const names = [...groupBy(drawn, (row) => row.case).entries()]
    .filter(([, mine]) => mine.some(({ system }) => system.startsWith("convkit")))
    .map(([name]) => name);
  if (names.length === 0) return undefined;
  const series = systemNames.filter((system) => drawn.some((row) => row.system === system)).toReversed();
  const { text, faint, background } = themes[theme];
  const height = 96 + names.length * rowHeight;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 860, height });
  chart.setOption({
    animation: false,
    backgroundColor: background,
    textStyle: { color: text, fontFamily: "system-ui, sans-serif" },
    legend: { top: 8, itemGap: 24, textStyle: { color: text }, data: series.toReversed() },
    // Without a browser, text widths are estimates, so the labels get a fixed width.
    grid: { left: 216, right: 24, top: 44, bottom: 52 },
    xAxis: {
      type: "log",
      logBase: 2,
      min: 2 ** Math.floor(Math.log2(Math.min(...drawn.map(({ ratioToFastestPeer: ratio }) => ratio!)))),
      max: fastest,
      name: "times as fast as the fastest peer (right of 1 is ahead of Keras, PyTorch, ONNX Runtime and tfjs-node)",
      nameLocation: "middle",
      nameGap: 28,
      axisLabel: { color: text, formatter: (value: number) => (value < 1 ? `1/${Math.round(1 / value)}` : `${value}`) },
      nameTextStyle: { color: text },
      splitLine: { lineStyle: { color: faint } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: names,
      axisLabel: { color: text, interval: 0, fontSize: 11 },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } },
      splitLine: { show: true, lineStyle: { color: faint, opacity: 0.5 } },
    },
    series: series.map((system) => ({
      name: system,
      type: "scatter",
      symbol: symbols[system],
      symbolSize: system === "convkit" ? 13 : 8,
      clip: true,
      itemStyle: { color: colors[system], opacity: 1 },
      data: drawn
        .filter((row) => row.system === system && names.includes(row.case))
        .map((row) => [Math.min(row.ratioToFastestPeer!, fastest), row.case]),
      ...(system === "convkit" && {
        markLine: {
          symbol: "none",
          silent: true,
          lineStyle: { color: text, type: "dashed" },
          label: { show: false },
          data: [{ xAxis: 1 }],
        },
      }),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
