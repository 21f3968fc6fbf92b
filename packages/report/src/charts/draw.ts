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

export const ink = "#1f2937";
export const faint = "#6b7280";
export const line = "#e5e7eb";
const font = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** The names of curves above a chart; `legendRows` counts how many rows they take. */
export const legend = {
  top: 4,
  left: 56,
  icon: "roundRect",
  itemGap: 28,
  itemWidth: 14,
  itemHeight: 4,
  textStyle: { color: ink },
} as const;

/** The name in the middle of an axis, `gap` pixels from it. */
export function axisName(name: string, gap = 28): object {
  return { name, nameLocation: "middle", nameGap: gap, nameTextStyle: { color: faint } };
}

/** Draws a chart of ECharts as an SVG. */
export function render(width: number, height: number, option: object): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: font }, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** A label of an axis: four digits, or a power of ten. */
export function tidy(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(0) : String(Number(value.toPrecision(4)));
}
