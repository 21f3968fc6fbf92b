import { axisName, faint, legend, line, palette, render } from "./draw.ts";
import { legendRows } from "./line-chart.ts";

/** Curves of precision over recall, one a label, as an SVG. Up to eight labels have names. */
export function precisionRecallChart(
  curves: readonly { readonly name: string; readonly points: readonly { precision: number; recall: number }[] }[],
  width = 560,
): string {
  const isNamed = curves.length <= palette.length;
  return render(width, 360, {
    grid: { left: 64, right: 20, top: isNamed ? 12 + 28 * legendRows(curves, width - 76) : 16, bottom: 44 },
    ...(isNamed && { legend }),
    xAxis: shareAxis("recall"),
    yAxis: shareAxis("precision", 44),
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

function shareAxis(name: string, gap?: number): object {
  return {
    type: "value",
    min: 0,
    max: 100,
    ...axisName(name, gap),
    axisLabel: { color: faint, formatter: (value: number) => `${value} %` },
    splitLine: { lineStyle: { color: line } },
  };
}
