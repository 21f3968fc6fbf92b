import * as echarts from "echarts";
import { groupBy } from "./group-by.ts";
import type { Result } from "./result.ts";
import { type SystemName, systemNames } from "./systems.ts";

const themes = {
  light: { text: "#1f2328", faint: "#d1d9e0", background: "#ffffff" },
  dark: { text: "#f0f6fc", faint: "#3d444d", background: "#0d1117" },
} as const;

const colours: Readonly<Record<SystemName, string>> = {
  convkit: "#0969da",
  "convkit-bf16": "#54aeff",
  "convkit-wasm": "#8250df",
  "tfjs-node": "#bc4c00",
  "tfjs-cpu": "#e16f24",
  keras: "#cf222e",
  torch: "#d4a72c",
  onnxruntime: "#6e7781",
};

/** Systems slower than this share of the fastest peer would be invisible bars; the table has them. */
const widest = 4;

/**
 * Bars of speed relative to the fastest peer (which is 1), a group a case of training and prediction, as SVG. Undefined where
 * no such case has both a peer and us.
 */
export function chartSvg({ rows }: Result, theme: keyof typeof themes): string | undefined {
  const drawn = rows.filter(
    (row) => /^(train|predict)\//.test(row.case) && row.ratioToFastestPeer !== null && row.median !== null,
  );
  const names = [...groupBy(drawn, (row) => row.case).entries()]
    .filter(([, mine]) => mine.some(({ system }) => system.startsWith("convkit")))
    .map(([name]) => name);
  if (names.length === 0) return undefined;
  const series = systemNames.filter((system) => system !== "tfjs-cpu" && drawn.some((row) => row.system === system));
  const { text, faint, background } = themes[theme];
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: 860,
    height: 110 + names.length * (14 + 9 * series.length),
  });
  chart.setOption({
    animation: false,
    backgroundColor: background,
    textStyle: { color: text, fontFamily: "system-ui, sans-serif" },
    legend: { top: 8, itemGap: 26, textStyle: { color: text } },
    // Without a browser text is measured by guess, so the labels get a fixed place.
    grid: { left: 216, right: 56, top: 44, bottom: 44 },
    xAxis: {
      type: "value",
      max: ({ max }: { max: number }) => Math.min(widest, Math.ceil(max * 4) / 4),
      name: "times as fast as the fastest peer",
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: { color: text },
      nameTextStyle: { color: text },
      splitLine: { lineStyle: { color: faint } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: names,
      axisLabel: { color: text },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } },
    },
    series: series.map((system, index) => ({
      name: system,
      type: "bar",
      barGap: 0,
      barCategoryGap: "24%",
      itemStyle: { color: colours[system] },
      data: names.map(
        (name) => drawn.find((row) => row.case === name && row.system === system)?.ratioToFastestPeer ?? null,
      ),
      label: {
        show: true,
        position: "right",
        color: text,
        fontSize: 9,
        formatter: ({ value }: { value: unknown }) => (typeof value === "number" ? value.toFixed(2) : ""),
      },
      ...(index === 0 && {
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
