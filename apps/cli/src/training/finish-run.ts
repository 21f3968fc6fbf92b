import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import { writeReport } from "@convkit/report";
import { writeJson } from "@convkit/files";
import { type Evaluation, type Mistake, runDirectory, type RunResult, type TaskEvaluation } from "@convkit/trainer";
import { shortOutputs, tasksText } from "../outputs/tasks-text.ts";
import { bytes, duration, grouped, percent } from "../terminal/format.ts";
import { promises } from "./promise.ts";
import type { RunConfig } from "./run-config.ts";
import type { Environment } from "./environment.ts";

/** A finished run, and the evaluation of its model on images that it was not trained on. */
export interface EndedRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly data: DataSplits<IndexedDataset>;
  readonly parameters: number;
  readonly environment: Environment;
  readonly result: RunResult;
  /** Missing if the run was interrupted, or if no images were held out. */
  readonly test: (Evaluation & { readonly mistakes: readonly Mistake[] }) | undefined;
  /** The same for data with targets: labels, numbers, or several of these. */
  readonly tasks: TaskEvaluation | undefined;
}

/** Writes `metrics.json` and `report.html`. */
export async function writeResult(run: EndedRun): Promise<void> {
  const { folder, config, data, result, test, tasks, parameters } = run;
  const places = runDirectory(folder);
  const { history: _history, ...ended } = result;
  // The pixels of masks are for the report.
  const stored = tasks && { ...tasks, outputs: tasks.outputs.map(({ masks: _masks, ...output }) => output) };
  await writeJson(places.metrics, {
    ...ended,
    test: (test ?? stored) && { split: splitOf(data), ...(test ?? stored) },
  });
  const judged = data.test ?? data.validation;
  const environment = Object.entries(run.environment).map(([key, value]) => [
    key,
    key === "memory" ? bytes(Number(value)) : String(value),
  ]);
  await writeReport(places.report, {
    title: config.name,
    subtitle: `${config.plan.model} on ${data.name}, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    result,
    parameters,
    environment: Object.fromEntries(environment) as Record<string, string>,
    config,
    ...(test && judged && { evaluation: test, judged: { split: splitOf(data), data: judged } }),
    ...(tasks && judged && { tasks, judged: { split: splitOf(data), data: judged } }),
  });
}

/** The output of `--json` for a run. */
export function resultDocument(run: EndedRun): object {
  const { folder, config, data, result, test, tasks } = run;
  const { expects } = config.plan;
  const promised = promises(expects, run);
  const { epochs, best, final, seconds, imagesPerSecond, timings, stopReason, interrupted } = result;
  return {
    run: folder,
    epochs,
    best: best ?? null,
    final: final
      ? {
          loss: final.loss,
          accuracy: final.accuracy ?? null,
          valLoss: final.valLoss ?? null,
          valAccuracy: final.valAccuracy ?? null,
          ...(final.metrics && { metrics: final.metrics }),
        }
      : null,
    test: test
      ? {
          split: splitOf(data),
          images: test.count,
          loss: test.loss,
          accuracy: test.accuracy,
          top5: test.top5,
          auc: test.auc,
        }
      : tasks
        ? {
            split: splitOf(data),
            images: tasks.count,
            loss: tasks.loss,
            metrics: tasks.metrics,
            outputs: shortOutputs(tasks),
          }
        : null,
    ...(expects &&
      promised.length > 0 && {
        expects: { ...expects, reached: promised.every(({ reached, least }) => reached >= least) },
      }),
    seconds,
    imagesPerSecond,
    timings,
    stopReason: stopReason ?? null,
    interrupted,
  };
}

/** The summary of a run that is printed without `--json`. */
export function resultText(run: EndedRun): string {
  const { folder, data, result, test, tasks } = run;
  const { epochs, steps, seconds, imagesPerSecond, stopReason, interrupted } = result;
  const stopped = stopReason === undefined ? "" : `, stopped: ${stopReason}`;
  const ending = interrupted
    ? `Interrupted after ${steps} steps; continue with convkit train --resume ${folder}`
    : `${epochs} ${epochs === 1 ? "epoch" : "epochs"} in ${duration(seconds)} (${Math.round(imagesPerSecond)} images/s)${stopped}`;
  const tested = test
    ? [
        `${splitOf(data)}: loss ${test.loss.toFixed(4)}, accuracy ${percent(test.accuracy)} on ${grouped(test.count)} images${expectation(run)}`,
      ]
    : tasks
      ? [`${splitOf(data)}, ${grouped(tasks.count)} images: ${tasksText(tasks)}${expectation(run)}`]
      : [];
  return [ending, ...tested, `run directory: ${folder}`].join("\n");
}

function splitOf(data: DataSplits<IndexedDataset>): string {
  return data.test === undefined ? "validation" : "test";
}

function expectation(run: EndedRun): string {
  return promises(run.config.plan.expects, run)
    .map(
      ({ reached, least, text }) =>
        `, ${reached >= least ? "at least" : "below"} the ${text} that the recipe must reach`,
    )
    .join("");
}
