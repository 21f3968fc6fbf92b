import type { Evaluation } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, table } from "../terminal/format.ts";
import { nameList } from "../inputs/column-list.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { choice, flag, offering, required, text, type ValuesOf, whole } from "../terminal/option.ts";
import { dataNames } from "../inputs/known-names.ts";
import {
  checkCacheOptions,
  placeOptions,
  readingOptions,
  targetOptions,
  targetsGiven,
} from "../inputs/data-options.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { thresholdOption } from "../inputs/threshold-option.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  data: required(offering(text("<name-or-folder>", "images to evaluate on"), dataNames)),
  ...placeOptions,
  ...targetOptions,
  metrics: nameList("metrics of labels, numbers and masks, such as auc,r2"),
  threshold: {
    ...thresholdOption,
    about: `${thresholdOption.about}; f1 takes those of the highest F1 on these images`,
  },
  write: text("<model>", "with --threshold, writes the model with its thresholds, by the file's ending"),
  split: choice(["test", "validation", "train"], "<name>", "which images"),
  limit: whole(1, "<n>", "at most so many images"),
  batch: whole(1, "<n>", "images at once"),
  tta: flag("averages over the image and its mirror image"),
  runtime: choice(["auto", "openvino", "onnxruntime"], "<name>", "what computes (default: the engine)"),
  csv: text("<file>", "writes each image's class, prediction and probability as CSV"),
  ...readingOptions,
};

/** `convkit evaluate`: loss and accuracy of a model on a data set. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { openSubject } = await import("../inference/subject.ts");
  const { evaluationData } = await import("../inputs/evaluation-data.ts");
  const { dataNotes } = await import("../inputs/data-notes.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { openCsv } = await import("../outputs/csv-file.ts");
  const { countingBar } = await import("../terminal/progress.ts");
  const {
    split: wanted,
    tta = false,
    csv,
    batch,
    data: source,
    dataFrom,
    outside,
    limit,
    workers,
    strict,
    runtime,
    labels,
    numbers,
    mask,
    maskClasses,
    maskIgnore,
    metrics,
    threshold,
    write,
    imageField,
    labelField,
    classNames,
    cacheDecoded,
    cacheLimit,
    ...modelGiven
  } = given;
  const targets = { labels, numbers, imageField, labelField, classNames, mask, maskClasses, maskIgnore };
  checkCacheOptions(given);
  await engineInUse(context);
  const subject = await openSubject(context, name, modelGiven);
  const { seed } = context.options;
  const chosen = await evaluationData(context, {
    model: name,
    data: source,
    split: wanted,
    dataFrom,
    outside,
    limit,
    workers,
    strict,
    cacheDecoded,
    cacheLimit,
    seed,
    image: subject.image,
    fit: subject.fit,
    run: subject.run,
    ...targetsGiven(targets),
  });
  const { name: dataName, split, trainedOn } = chosen;
  const tellNotes = dataNotes(context.out, chosen.data);
  tellNotes();
  if (chosen.data.targets !== undefined) {
    const { judgeTasks } = await import("../inference/judge-tasks.ts");
    await judgeTasks(context, subject, chosen, { name, metrics, threshold, write, batch, csv, tta, runtime });
    return;
  }
  if ((metrics ?? threshold ?? write) !== undefined)
    throw new UsageError("--metrics, --threshold and --write are for labels and numbers: name their columns.");
  const data = subject.matched(chosen.data);
  const columns = ["image", "label", "predicted", "probability", "right"];
  const rows = csv === undefined ? undefined : await openCsv(userPath(csv), columns);
  const bar = countingBar(context.out, data.size, "images");
  const evaluation = await subject
    .judge(data, {
      mirror: tta,
      ...(runtime !== undefined && { runtime }),
      signal: context.signal,
      async onBatch({ indices, labels, predicted, probability, seen }) {
        bar.update(seen);
        const cells = Array.from(indices, (index, place) => [
          data.describe(index),
          data.classes[labels[place]!]!,
          data.classes[predicted[place]!]!,
          probability[place]!,
          Number(labels[place] === predicted[place]),
        ]);
        await rows?.add(cells);
      },
      ...(batch !== undefined && { batch }),
    })
    .then(async (result) => {
      await rows?.done();
      return result;
    })
    .finally(async () => {
      bar.stop();
      await rows?.close();
    });
  tellNotes();
  context.out.result(
    // `top1` is an older name of `accuracy`.
    {
      model: name,
      data: dataName,
      split,
      ...(trainedOn !== undefined && { trainedOn }),
      ...evaluation,
      top1: evaluation.accuracy,
    },
    reportText(dataName, split, evaluation),
  );
}

function reportText(name: string, split: string, result: Evaluation): string {
  const rows = result.perClass.map(({ label, precision, recall, f1, support }) => [
    label,
    percent(precision),
    percent(recall),
    percent(f1),
    grouped(support),
  ]);
  const width = Math.max(
    ...result.confusion.flat().map((count) => String(count).length),
    ...result.perClass.map(({ label }) => label.length),
  );
  const matrix = result.confusion.map((row, index) => [
    result.perClass[index]!.label,
    ...row.map((count) => (count === 0 ? "·" : String(count)).padStart(Math.min(width, 8))),
  ]);
  const head = `${name} ${split}, ${grouped(result.count)} images: loss ${result.loss.toFixed(4)}, accuracy ${percent(result.accuracy)}, top-5 ${percent(result.top5)}${result.auc === null ? "" : `, AUC ${result.auc.toFixed(4)}`}`;
  const confusion =
    result.perClass.length > 20
      ? []
      : [
          "",
          "Rows are the true classes, columns the predicted ones:",
          table(["", ...result.perClass.map(({ label }) => label)], matrix),
        ];
  return [head, "", table(["class", "precision", "recall", "F1", "images"], rows), ...confusion].join("\n");
}
