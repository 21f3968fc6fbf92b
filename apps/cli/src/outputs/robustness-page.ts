import type { Robustness } from "@convkit/inspect";
import { curve, grid, type Html, lineChart, page, section, tableOf, tiles } from "@convkit/report/internal";
import { type Slice, sliceLimits } from "../inference/slices.ts";
import { grouped, percent } from "../terminal/format.ts";

/** What `convkit robustness` tells. */
export interface RobustnessReport extends Robustness {
  readonly model: string;
  readonly data: string;
  readonly images: number;
  readonly split: string;
  readonly slices: {
    readonly byClass: readonly { readonly label: string; readonly images: number; readonly accuracy: number }[];
    readonly byConfidence: readonly Slice[];
    readonly bySize: readonly Slice[];
  };
}

/** Curves in one chart: more cannot be told apart. */
const curves = 6;

/** Accuracy on corrupted images and on slices as one page that loads nothing. */
export function robustnessPage({
  model,
  data,
  images,
  clean,
  mean,
  results,
  byKind,
  slices,
}: RobustnessReport): string {
  const kinds = Object.keys(byKind);
  const groups = Array.from({ length: Math.ceil(kinds.length / curves) }, (_, i) =>
    kinds.slice(i * curves, (i + 1) * curves),
  );
  const charts = groups.map((group, i) => {
    const series = group.map((name) => ({
      name,
      points: [
        [0, clean] as const,
        ...results.filter(({ kind }) => kind === name).map(({ severity, accuracy }) => [severity, accuracy] as const),
      ],
    }));
    const chart = (width: number) =>
      lineChart(series, { percent: true, over: "severity", first: 0, width, height: 360 });
    return section(groups.length === 1 ? "Accuracy by severity" : `Accuracy by severity, ${i + 1}`, curve(chart, 720), {
      wide: true,
    });
  });
  return page(`Robustness of ${model}`, `Accuracy on ${grouped(images)} images of ${data}, as they are and corrupted`, [
    tiles([
      [percent(clean), "accuracy on the images as they are"],
      [percent(mean), "mean accuracy over all corruptions"],
    ]),
    grid([
      ...charts,
      section(
        "Corruptions",
        tableOf(
          ["corruption", "mean accuracy", "lost"],
          kinds.map((kind) => [kind, percent(byKind[kind]!), percent(clean - byKind[kind]!)]),
        ),
      ),
      section("By confidence", sliceTable("confidence", slices.byConfidence, "%")),
      ...(slices.bySize.length === 0
        ? []
        : [section("By image size", sliceTable("longer side", slices.bySize, "pixels"))]),
      section(
        "By class",
        tableOf(
          ["class", "images", "accuracy"],
          slices.byClass.map(({ label, images: count, accuracy }) => [label, grouped(count), percent(accuracy)]),
        ),
      ),
    ]),
  ]);
}

function sliceTable(title: string, slices: readonly Slice[], unit: "%" | "pixels"): Html {
  const rows = slices.map((slice) => [
    sliceLimits(slice, unit),
    grouped(slice.images),
    slice.accuracy === null ? "" : percent(slice.accuracy),
  ]);
  return tableOf([title, "images", "accuracy"], rows);
}
