import { axisName, faint, line, palette, render, tidy } from "./draw.ts";

/** Predicted over true numbers as an SVG, with the line on which both are equal. */
export function scatterChart(points: readonly (readonly [actual: number, predicted: number])[], width = 560): string {
  const values = points.flat().filter((value) => Number.isFinite(value));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least || 1) / 20;
  const range = { min: tidy(least - room), max: tidy(most + room) };
  const axis = (name: string, nameGap: number): object => ({
    type: "value",
    ...range,
    ...axisName(name, nameGap),
    axisLabel: { color: faint, formatter: (value: number) => String(tidy(value)) },
    splitLine: { lineStyle: { color: line } },
  });
  return render(width, 420, {
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
