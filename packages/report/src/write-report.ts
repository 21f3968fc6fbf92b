import type { IndexedDataset } from "@convkit/datasets";
import { OptionError, shown } from "@convkit/errors";
import { writeFileAtomic } from "@convkit/files";
import type { EpochLogs, Evaluation, Mistake, RunResult, TaskEvaluation } from "@convkit/trainer";
import { confusionChart } from "./charts/confusion-chart.ts";
import { lineChart } from "./charts/line-chart.ts";
import { type Html, html, trusted } from "./html.ts";
import { curve, facts, grid, page, partsOf, section, tableOf, tiles } from "./page.ts";
import { imagePng } from "./image-png.ts";
import { metricSections, taskSections, tidy } from "./task-sections.ts";

/** What a report shows. */
export interface ReportContent {
  readonly title: string;
  /** The line below the title: model, data, date. */
  readonly subtitle: string;
  readonly result: Pick<RunResult, "history" | "best" | "seconds" | "imagesPerSecond" | "timings" | "stopReason">;
  /** The final model's evaluation; by default the report has none. Shown only together with `judged`. */
  readonly evaluation?: (Evaluation & { readonly mistakes: readonly Mistake[] }) | undefined;
  /** The images that the evaluation was made on, and the name of their split, such as "test"; none by default. */
  readonly judged?: { readonly split: string; readonly data: IndexedDataset } | undefined;
  /** The evaluation of outputs that tell labels, numbers, masks or several of these; none by default. */
  readonly tasks?: TaskEvaluation | undefined;
  /** The number of the model's parameters. */
  readonly parameters: number;
  /** Names and values for the section "Environment": versions, engine, processor. */
  readonly environment: Readonly<Record<string, string>>;
  /** The run's configuration, shown as JSON. */
  readonly config: unknown;
}

/**
 * Writes the page of a run: curves, learning rate, confusion matrix, worst mistakes, timings, environment. The HTML
 * file needs no other file. Throws if the file cannot be written.
 */
export async function writeReport(path: string, content: ReportContent): Promise<void> {
  if (typeof path !== "string" || typeof content !== "object" || content === null) {
    throw new OptionError(
      `writeReport: expected the path of a file and { title, result, … }, got ${shown(path)} and ${shown(content)}.`,
    );
  }
  await writeFileAtomic(path, await reportPage(content));
}

async function reportPage(content: ReportContent): Promise<string> {
  const { title, subtitle, result, evaluation, tasks, judged, parameters, environment, config } = content;
  const { history, best } = result;
  const curves =
    history.length === 0
      ? []
      : [lossSection(history, best), ...accuracySection(history, best), ...metricSections(history, best)];
  const judgement =
    judged === undefined
      ? []
      : [
          ...(evaluation === undefined ? [] : await judgementSections(evaluation, judged)),
          ...(tasks === undefined ? [] : await taskSections(tasks, judged)),
        ];
  const rates = history.length === 0 ? [] : [rateSection(history)];
  return page(title, subtitle, [
    tiles(summaryTiles(content, parameters)),
    grid([
      ...curves,
      ...judgement,
      ...rates,
      timingSection(result),
      section("Environment", facts(environment)),
      section("Configuration", html`<pre>${JSON.stringify(config, undefined, 2)}</pre>`),
    ]),
  ]);
}

function summaryTiles({ result, evaluation, tasks, judged }: ReportContent, parameters: number): [string, string][] {
  const { history, best, seconds, imagesPerSecond } = result;
  const values: [string, string][] = [];
  if (evaluation !== undefined && judged !== undefined)
    values.push([
      percent(evaluation.accuracy),
      `accuracy on ${evaluation.count.toLocaleString("en-US")} ${judged.split} images`,
    ]);
  if (tasks !== undefined && judged !== undefined)
    values.push(
      [String(tidy(tasks.loss)), `loss on ${tasks.count.toLocaleString("en-US")} ${judged.split} images`],
      ...Object.entries(tasks.metrics)
        .slice(0, 4)
        .map(([name, value]): [string, string] => [String(tidy(value)), name]),
    );
  if (best?.valAccuracy !== undefined) values.push([percent(best.valAccuracy), "validation accuracy, best epoch"]);
  if (best !== undefined) values.push([`${best.epoch} of ${history.length}`, "best epoch"]);
  values.push([duration(seconds), "training and validation"]);
  values.push([Math.round(imagesPerSecond).toLocaleString("en-US"), "images a second"]);
  values.push([parameters.toLocaleString("en-US"), "parameters"]);
  return values;
}

function lossSection(history: readonly EpochLogs[], best: EpochLogs | undefined): Html {
  const series = [
    { name: "training", points: history.map(({ epoch, loss }) => [epoch, loss] as const) },
    ...validationSeries(history, "valLoss"),
  ];
  const options = best === undefined ? {} : { mark: best.epoch };
  return section(
    "Loss",
    curve((width) => lineChart(series, { ...options, width })),
  );
}

function accuracySection(history: readonly EpochLogs[], best: EpochLogs | undefined): Html[] {
  if (history.every(({ accuracy }) => accuracy === undefined)) return [];
  const series = [
    { name: "training", points: history.map(({ epoch, accuracy }) => [epoch, accuracy] as const) },
    ...validationSeries(history, "valAccuracy"),
  ];
  const options = { percent: true, ...(best !== undefined && { mark: best.epoch }) };
  return [
    section(
      "Accuracy",
      curve((width) => lineChart(series, { ...options, width })),
    ),
  ];
}

function validationSeries(history: readonly EpochLogs[], key: "valLoss" | "valAccuracy") {
  if (history.every((row) => row[key] === undefined)) return [];
  return [{ name: "validation", points: history.map((row) => [row.epoch, row[key]] as const) }];
}

function rateSection(history: readonly EpochLogs[]): Html {
  const points = history.map(({ epoch, lr }) => [epoch, lr] as const);
  return section(
    "Learning rate",
    curve((width) => lineChart([{ name: "learning rate", points, color: "#0f9d75" }], { width, height: 230 })),
  );
}

async function judgementSections(
  evaluation: Evaluation & { readonly mistakes: readonly Mistake[] },
  judged: NonNullable<ReportContent["judged"]>,
): Promise<Html[]> {
  const { confusion, perClass, mistakes, auc, macro, loss, top5 } = evaluation;
  const labels = perClass.map(({ label }) => label);
  const rows = perClass.map(({ label, precision, recall, f1, support }) => [
    label,
    percent(precision),
    html`<span class="bar" style="width:${Math.round(recall * 70)}px"></span>${percent(recall)}`,
    percent(f1),
    support.toLocaleString("en-US"),
  ]);
  const means = [
    "mean",
    percent(macro.precision),
    percent(macro.recall),
    percent(macro.f1),
    evaluation.count.toLocaleString("en-US"),
  ];
  const note = `Loss ${loss.toFixed(4)}, right class among the first five ${percent(top5)}${auc === null ? "" : `, area under the ROC curve ${auc.toFixed(4)}`}.`;
  const pictures = await Promise.all(mistakes.map((mistake) => mistakeFigure(mistake, judged.data, labels)));
  const matrix = section("Confusion matrix", trusted(confusionChart(confusion, labels)), {
    note: "Rows are the true classes; colours are shares of a row.",
  });
  return [
    ...(labels.length <= 60 ? [matrix] : []),
    section(
      `Classes, ${judged.split} images`,
      tableOf(["class", "precision", "recall", "F1", "images"], [...rows, means]),
      { note },
    ),
    ...(pictures.length === 0
      ? []
      : [
          section("Worst mistakes", html`<div class="pictures">${pictures}</div>`, {
            wide: true,
            note: "The images that the model was most sure about and wrong.",
          }),
        ]),
  ];
}

async function mistakeFigure(mistake: Mistake, data: IndexedDataset, labels: readonly string[]): Promise<Html> {
  const { png, width } = await imagePng(data, mistake.index);
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  const name = data.describe(mistake.index);
  return html`<figure>
    <img class="${width < 100 ? "small" : ""}" src="${source}" alt="${name}" title="${name}" />
    <figcaption>
      <em>${labels[mistake.predicted]!}</em> <small>${percent(mistake.probability)}</small><br />is
      ${labels[mistake.actual]!}
    </figcaption>
  </figure>`;
}

function timingSection({ timings, seconds, stopReason }: ReportContent["result"]): Html {
  const { first, step, data, validation, callbacks } = timings;
  const other = Math.max(0, seconds - first - step - data - validation - callbacks);
  const bar = partsOf({
    "first step": first,
    "training steps": step,
    "waiting for data": data,
    validation,
    "checkpoints and callbacks": callbacks,
    other,
  });
  const ending = stopReason === undefined ? "The run did all its epochs." : `The run stopped since ${stopReason}.`;
  return section("Where the time went", bar, { note: `${duration(seconds)} in all. ${ending}` });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
