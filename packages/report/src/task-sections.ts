import type { IndexedDataset } from "@convkit/datasets";
import type { EpochLogs, OutputEvaluation, TaskEvaluation, WorstExample } from "@convkit/trainer";
import { confusionChart } from "./charts/confusion-chart.ts";
import { lineChart } from "./charts/line-chart.ts";
import { precisionRecallChart } from "./charts/precision-recall-chart.ts";
import { scatterChart } from "./charts/scatter-chart.ts";
import { type Html, html, trusted } from "./html.ts";
import { imagePng } from "./image-png.ts";
import { colorOf, maskPictures } from "./mask-pictures.ts";
import { curve, section, tableOf } from "./page.ts";

/** The images of an evaluation, and the name of their split. */
interface Judged {
  readonly split: string;
  readonly data: IndexedDataset;
}

/** The curve of each metric over the epochs, with that of its validation. */
export function metricSections(history: readonly EpochLogs[], best: EpochLogs | undefined): Html[] {
  const names = [...new Set(history.flatMap(({ metrics }) => Object.keys(metrics ?? {})))];
  const points = (name: string) => history.map(({ epoch, metrics }) => [epoch, metrics?.[name]] as const);
  return names
    .filter((name) => !name.startsWith("val_"))
    .map((name) => {
      const validation = `val_${name}`;
      const series = [
        { name: "training", points: points(name) },
        ...(names.includes(validation) ? [{ name: "validation", points: points(validation) }] : []),
      ];
      const options = best === undefined ? {} : { mark: best.epoch };
      return section(
        name,
        curve((width) => lineChart(series, { ...options, width })),
      );
    });
}

/** What each output predicts: labels with their curves, numbers with their scatter plots, masks with their overlaps. */
export async function taskSections({ outputs }: TaskEvaluation, judged: Judged): Promise<Html[]> {
  const sections = await Promise.all(
    outputs.map(async (output) => {
      const title = outputs.length === 1 ? "" : `${output.output}: `;
      return [
        ...labelSections(output, title, judged),
        ...numberSections(output, title, judged),
        ...classSections(output, title, judged),
        ...(await worstSection(output, title, judged)),
        ...(await maskSection(output, title, judged)),
      ];
    }),
  );
  return sections.flat();
}

function labelSections({ labels, loss }: OutputEvaluation, title: string, { split }: Judged): Html[] {
  if (labels === undefined) return [];
  const rows = labels.map(({ label, threshold, precision, recall, f1, averagePrecision, auc, best, support }) => [
    label,
    String(tidy(threshold)),
    percent(precision),
    html`<span class="bar" style="width:${Math.round(recall * 70)}px"></span>${percent(recall)}`,
    percent(f1),
    averagePrecision === null ? "" : averagePrecision.toFixed(4),
    auc === null ? "" : auc.toFixed(4),
    best === null ? "" : `${best.threshold.toFixed(3)} (${percent(best.f1)})`,
    support.toLocaleString("en-US"),
  ]);
  const curves = labels.map(({ label, curve: points }) => ({ name: label, points }));
  return [
    section(
      `${title}Precision over recall`,
      curve((width) => precisionRecallChart(curves, width)),
      {
        note: "Each point of a curve is a threshold: images that score above it count as having the label.",
      },
    ),
    section(
      `${title}Labels, ${split} images`,
      tableOf(
        [
          "label",
          "threshold",
          "precision",
          "recall",
          "F1",
          "average precision",
          "AUC",
          "best threshold (F1)",
          "images",
        ],
        rows,
      ),
      { wide: true, note: `Loss ${tidy(loss)}. A label counts above its threshold.` },
    ),
  ];
}

function numberSections({ numbers, loss }: OutputEvaluation, title: string, { split }: Judged): Html[] {
  if (numbers === undefined) return [];
  const rows = numbers.map(({ name, mae, rmse, r2 }) => [
    name,
    String(tidy(mae)),
    String(tidy(rmse)),
    r2 === null ? "" : r2.toFixed(4),
  ]);
  return [
    section(`${title}Numbers, ${split} images`, tableOf(["number", "mean absolute error", "RMSE", "R²"], rows), {
      note: `Loss ${tidy(loss)}.`,
    }),
    ...numbers.slice(0, 12).map(({ name, points }) =>
      section(
        `${title}Predicted over true: ${name}`,
        curve((width) => scatterChart(points, width)),
        {
          note: `${points.length.toLocaleString("en-US")} images; the dotted line is where both are equal.`,
        },
      ),
    ),
  ];
}

function classSections(
  { perClass, confusion, overlaps, kind }: OutputEvaluation,
  title: string,
  { split }: Judged,
): Html[] {
  if (perClass === undefined || confusion === undefined) return [];
  const isMask = kind === "mask";
  const rows = perClass.map(({ label, precision, recall, f1, support }, place) => [
    label,
    percent(precision),
    percent(recall),
    percent(f1),
    ...(isMask ? [overlaps?.[place] == null ? "" : percent(overlaps[place])] : []),
    support.toLocaleString("en-US"),
  ]);
  const names = perClass.map(({ label }) => label);
  return [
    ...(names.length <= 60 ? [section(`${title}Confusion matrix`, trusted(confusionChart(confusion, names)))] : []),
    section(
      `${title}Classes, ${split} images`,
      tableOf(
        ["class", "precision", "recall", "F1", ...(isMask ? ["overlap (IoU)"] : []), isMask ? "pixels" : "images"],
        rows,
      ),
    ),
  ];
}

async function worstSection(output: OutputEvaluation, title: string, { data }: Judged): Promise<Html[]> {
  const { worst = [] } = output;
  if (worst.length === 0) return [];
  const pictures = await Promise.all(
    worst.map(async (example) => {
      const { png, width } = await imagePng(data, example.index);
      const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
      const name = data.describe(example.index);
      const [predicted, actual] = captionOf(output, example);
      return html`<figure>
        <img class="${width < 100 ? "small" : ""}" src="${source}" alt="${name}" title="${name}" />
        <figcaption><em>${predicted}</em><br />is ${actual}</figcaption>
      </figure>`;
    }),
  );
  return [
    section(`${title}Largest differences`, html`<div class="pictures">${pictures}</div>`, {
      wide: true,
      note: "The images whose predictions are farthest from what they have.",
    }),
  ];
}

/** How many images with their masks a report shows. */
const mostMasks = 12;

async function maskSection(output: OutputEvaluation, title: string, { data }: Judged): Promise<Html[]> {
  const { masks = [], perClass = [], target } = output;
  if (masks.length === 0) return [];
  const ignore = data.targets?.[target]?.ignore;
  const picture = (png: Uint8Array, width: number, about: string): Html =>
    html`<img
      class="${width < 100 ? "small" : ""}"
      src="data:image/png;base64,${Buffer.from(png).toString("base64")}"
      alt="${about}"
      title="${about}"
    />`;
  const rows = await Promise.all(
    masks.slice(0, mostMasks).map(async (example) => {
      const { width, image, actual, predicted } = await maskPictures(data, example, ignore);
      const name = data.describe(example.index);
      return html`<figure>
        ${picture(image, width, name)} ${picture(actual, width, `${name}, true mask`)}
        ${picture(predicted, width, `${name}, predicted mask`)}
        <figcaption>overlap ${percent(example.overlap)}</figcaption>
      </figure>`;
    }),
  );
  const legend = perClass.map(({ label }, place) => {
    const color = colorOf(place);
    return color === undefined
      ? html`${label} has no color. `
      : html`<span style="background:rgb(${color.join(",")});padding:0 .6em;border-radius:3px"></span> ${label} `;
  });
  return [
    section(
      `${title}Least overlap`,
      html`<p>${legend}</p>
        <div class="pictures">${rows}</div>`,
      {
        wide: true,
        note: "Each image, its true mask and its predicted mask; the images whose masks overlap least.",
      },
    ),
  ];
}

function captionOf(
  { labels }: OutputEvaluation,
  { actual, predicted }: WorstExample,
): readonly [predicted: string, actual: string] {
  if (labels === undefined) return [predicted.map(tidy).join(", "), actual.map(tidy).join(", ")];
  const above = (values: readonly number[], bound: (threshold: number) => number): string =>
    labels
      .filter(({ threshold }, place) => values[place]! > bound(threshold))
      .map(({ label }) => label)
      .join(", ") || "none";
  return [above(predicted, (threshold) => threshold), above(actual, () => 0.5)];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** A number with four significant digits. */
export function tidy(value: number): number {
  return Number(value.toPrecision(4));
}
