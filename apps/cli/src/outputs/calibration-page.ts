import type { Calibration, ReliabilityBin } from "@convkit/inspect";
import { curve, grid, lineChart, page, section, type Series, tableOf, tiles } from "@convkit/report/internal";
import { grouped, percent } from "../terminal/format.ts";

/** What the page of a calibration shows. */
export interface CalibrationReport {
  readonly model: string;
  readonly data: string;
  readonly images: number;
  readonly before: Calibration;
  /** Missing if no temperature was sought. */
  readonly after?: Calibration | undefined;
  readonly temperature?: number | undefined;
}

/** A reliability diagram and its numbers as one page that loads nothing. */
export function calibrationPage({ model, data, images, before, after, temperature }: CalibrationReport): string {
  const perfect: Series = {
    name: "as sure as right",
    points: [
      [0, 0],
      [100, 1],
    ],
    dashed: true,
    color: "#6b7280",
  };
  const series = [
    seriesOf("model", before.bins),
    ...(after === undefined ? [] : [seriesOf("with temperature", after.bins)]),
    perfect,
  ];
  const options = { percent: true, over: "mean confidence in %", first: 0, height: 420 };
  const diagram = (width: number) => lineChart(series, { ...options, width });
  const head = tiles([
    [percent(before.accuracy), `accuracy on ${grouped(images)} images`],
    [before.ece.toFixed(4), "expected calibration error"],
    ...(after === undefined || temperature === undefined
      ? []
      : [
          [temperature.toFixed(3), "temperature"] as const,
          [after.ece.toFixed(4), "calibration error with it"] as const,
        ]),
  ]);
  const rows = before.bins.map((bin) => [
    `${Math.round(100 * bin.from)} to ${Math.round(100 * bin.to)} %`,
    grouped(bin.count),
    ...cells(bin),
  ]);
  const numbers = [before, ...(after === undefined ? [] : [after])].map((each, index) => [
    index === 0 ? "as they are" : `divided by ${temperature!.toFixed(3)}`,
    each.ece.toFixed(4),
    each.mce.toFixed(4),
    each.nll.toFixed(4),
  ]);
  return page(`Calibration of ${model}`, `How often ${model} is right when it is so sure, on ${data}`, [
    head,
    grid([
      section("Reliability diagram", curve(diagram), {
        note: "A point for each bin of confidence: below the dashed line the model is surer than it is right.",
      }),
      section("Errors", tableOf(["logits", "expected error", "largest error", "negative log-likelihood"], numbers)),
      section("Bins of the model", tableOf(["confidence", "images", "mean confidence", "accuracy"], rows), {
        wide: true,
      }),
    ]),
  ]);
}

function seriesOf(name: string, bins: readonly ReliabilityBin[]): Series {
  const filled = bins.filter(({ count }) => count > 0);
  return { name, points: filled.map(({ confidence, accuracy }) => [100 * confidence, accuracy] as const) };
}

function cells({ count, confidence, accuracy }: ReliabilityBin): string[] {
  return count === 0 ? ["", ""] : [percent(confidence), percent(accuracy)];
}
