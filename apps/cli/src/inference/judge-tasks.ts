import type { EvaluateTasksOptions, MetricName } from "@convkit/trainer";
import type { EvaluationData } from "../inputs/evaluation-data.ts";
import { openCsv } from "../outputs/csv-file.ts";
import { shortOutputs, tasksTable, tasksText } from "../outputs/tasks-text.ts";
import type { Context } from "../terminal/context.ts";
import { grouped } from "../terminal/format.ts";
import { countingBar } from "../terminal/progress.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import type { Subject } from "./subject.ts";

/** The options of `convkit evaluate` for data with labels or numbers. */
export interface TaskOptions {
  readonly name: string;
  readonly metrics: readonly string[] | undefined;
  readonly threshold: EvaluateTasksOptions["threshold"];
  /** Where the model is written with its thresholds. */
  readonly write: string | undefined;
  readonly batch: number | undefined;
  readonly csv: string | undefined;
  readonly tta: boolean;
  readonly runtime: string | undefined;
}

/** Evaluates on data whose images have labels or numbers; the CSV has a column for each of these and for each prediction. */
export async function judgeTasks(
  context: Context,
  subject: Subject,
  { data, name: dataName, split, trainedOn }: EvaluationData,
  { name, metrics, threshold, write, batch, csv, tta, runtime }: TaskOptions,
): Promise<void> {
  if (tta || runtime !== undefined)
    throw new UsageError("--tta and --runtime are for classes: leave them out for labels, numbers and masks.");
  if (subject.judgeTasks === undefined)
    throw new UsageError(`${name} cannot be evaluated on labels or numbers: give a run directory or a layers model.`);
  const targets = Object.entries(data.targets ?? {});
  const hasLabels = targets.some(([, { kind }]) => kind === "labels");
  if (threshold !== undefined && !hasLabels)
    throw new UsageError(`--threshold is for labels, and ${dataName} has none: leave it out.`);
  if (write !== undefined && (threshold === undefined || targets.length > 1))
    throw new UsageError("--write stores the thresholds of a model that tells labels alone: give --threshold, too.");
  if (csv !== undefined && targets.some(([, { kind }]) => kind === "mask"))
    throw new UsageError(
      "--csv has a row for each image, and masks have a class for each pixel: predict --masks FOLDER writes masks as pictures.",
    );
  const columns = targets.flatMap(([target, { names }]) => names.map((each) => `${target}.${each}`));
  const rows =
    csv === undefined
      ? undefined
      : await openCsv(userPath(csv), ["image", ...columns, ...columns.map((each) => `predicted.${each}`)]);
  const bar = countingBar(context.out, data.size, "images");
  try {
    const result = await subject.judgeTasks(data, {
      signal: context.signal,
      metrics: metrics as readonly MetricName[] | undefined,
      threshold,
      batch,
      onNote: (note) => context.out.note(note),
      async onBatch({ indices, actual, predicted, seen }) {
        bar.update(seen);
        const valuesOf = (each: Readonly<Record<string, ArrayLike<number>>>, row: number): number[] =>
          Object.values(each).flatMap((values) => {
            const width = values.length / indices.length;
            return Array.from({ length: width }, (_, place) => values[row * width + place]!);
          });
        await rows?.add(
          Array.from(indices, (index, row) => [
            data.describe(index),
            ...valuesOf(actual, row),
            ...valuesOf(predicted, row),
          ]),
        );
      },
    });
    await rows?.done();
    if (threshold === "f1")
      context.out.note(
        `The thresholds are those of the highest F1 on these ${split} images: on other images precision, recall and F1 will be lower.`,
      );
    const thresholds = result.outputs[0]!.labels?.map((label) => label.threshold);
    if (write !== undefined && thresholds !== undefined) await subject.writeWith!(userPath(write), { thresholds });
    context.out.result(
      {
        model: name,
        data: dataName,
        split,
        ...(trainedOn !== undefined && { trainedOn }),
        ...result,
        outputs: shortOutputs(result),
        ...(write !== undefined && { written: userPath(write) }),
      },
      [
        `${dataName} ${split}, ${grouped(result.count)} images: ${tasksText(result)}`,
        "",
        tasksTable(result),
        ...(write === undefined ? [] : [`Written: ${write}`]),
      ].join("\n"),
    );
  } finally {
    bar.stop();
    await rows?.close();
  }
}
