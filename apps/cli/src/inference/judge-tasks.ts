import type { MetricName } from "@convkit/trainer";
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
  readonly threshold: number | undefined;
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
  { name, metrics, threshold, batch, csv, tta, runtime }: TaskOptions,
): Promise<void> {
  if (tta || runtime !== undefined)
    throw new UsageError("--tta and --runtime are for classes: leave them out for labels, numbers and masks.");
  if (subject.judgeTasks === undefined)
    throw new UsageError(`${name} cannot be evaluated on labels or numbers: give a run directory or a layers model.`);
  const targets = Object.entries(data.targets ?? {});
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
    context.out.result(
      {
        model: name,
        data: dataName,
        split,
        ...(trainedOn !== undefined && { trainedOn }),
        ...result,
        outputs: shortOutputs(result),
      },
      [`${dataName} ${split}, ${grouped(result.count)} images: ${tasksText(result)}`, "", tasksTable(result)].join(
        "\n",
      ),
    );
  } finally {
    bar.stop();
    await rows?.close();
  }
}
