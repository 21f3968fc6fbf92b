import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import { evaluate as evaluateModel, type EvaluateOptions, type Evaluation } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { openCsv } from "../outputs/csv-file.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped, percent, table } from "../terminal/format.ts";
import { evaluateSaved } from "../inference/evaluate-saved-model.ts";
import { imageShape } from "../inputs/image-shape.ts";
import { leftOutNotes } from "../inputs/skipped-images.ts";
import { type DataOptions, loadSplits } from "../inputs/load-data.ts";
import { countingBar } from "../terminal/progress.ts";
import { inputOf, type ModelOptions, type ResolvedModel, resolveModel } from "../inputs/model-source.ts";
import { isSavedModel, openSavedModel } from "../inputs/saved-model.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface Options extends ModelOptions, DataOptions {
  readonly split?: "train" | "validation" | "test";
  readonly batch?: number;
  readonly tta?: boolean;
  readonly csv?: string;
}

/** `convkit evaluate`: how good a model is on a data set. */
export async function evaluate(context: Context, name: string, options: Options): Promise<void> {
  await engineInUse(context);
  const { seed } = context.options;
  const subject = await subjectOf(context, name, options);
  const splits = await loadSplits(context, { ...options, image: subject.image, ...(seed !== undefined && { seed }) });
  const tellLeftOut = leftOutNotes(context.out, splits);
  tellLeftOut();
  const [split, data] = chosenSplit(splits, options.split);
  const { tta = false, csv, batch } = options;
  const columns = ["image", "label", "predicted", "probability", "right"];
  const rows = csv === undefined ? undefined : await openCsv(userPath(csv), columns);
  const bar = countingBar(context.out, data.size, "images");
  const evaluation = await subject
    .judge(data, {
      mirror: tta,
      signal: context.signal,
      async onBatch({ indices, labels, predicted, probability, seen }) {
        bar.update(seen);
        const told = Array.from(indices, (index, place) => [
          data.describe(index),
          data.classes[labels[place]!]!,
          data.classes[predicted[place]!]!,
          probability[place]!,
          Number(labels[place] === predicted[place]),
        ]);
        await rows?.add(told);
      },
      ...(batch !== undefined && { batch }),
    })
    .then(async (made) => {
      await rows?.done();
      return made;
    })
    .finally(async () => {
      bar.stop();
      await rows?.close();
    });
  tellLeftOut();
  context.out.result({ model: name, data: splits.name, split, ...evaluation }, text(splits.name, split, evaluation));
}

/** What is evaluated: what it takes images for, and how it is judged. */
interface Subject {
  readonly image: [number, number, number];
  judge(data: IndexedDataset, options: Omit<EvaluateOptions, "preprocessing">): Promise<Evaluation>;
}

/** A SavedModel, a network of the zoo with as many classes as the data, or a model that has its own. */
async function subjectOf(context: Context, name: string, options: Options): Promise<Subject> {
  const { seed } = context.options;
  if (isSavedModel(name)) {
    const network = await openSavedModel(context, name);
    const image = imageShape(name, network.input);
    return { image, judge: (data, how) => evaluateSaved(name, network, data, how).finally(() => network.dispose()) };
  }
  const judged = async ({ model, preprocessing }: ResolvedModel, data: IndexedDataset, how: EvaluateOptions) => {
    const { mistakes: _mistakes, ...result } = await evaluateModel(model, data, { ...how, preprocessing });
    return result;
  };
  if (isModelName(name))
    return {
      image: options.input ?? ([...findArchitecture(name).input] as [number, number, number]),
      judge: async (data, how) =>
        judged(await resolveModel(name, { classes: data.classes.length, ...options }, seed), data, how),
    };
  const resolved = await resolveModel(name, options, seed);
  return { image: inputOf(resolved.model), judge: (data, how) => judged(resolved, data, how) };
}

function chosenSplit(splits: DataSplits<IndexedDataset>, wanted: Options["split"]): [string, IndexedDataset] {
  const split = wanted ?? (splits.test ? "test" : splits.validation ? "validation" : "train");
  const data = splits[split];
  const known = (["train", "validation", "test"] as const).filter((each) => splits[each] !== undefined);
  if (data === undefined) throw new UsageError(`${splits.name} has no ${split} images: it has ${known.join(", ")}.`);
  return [split, data];
}

function text(name: string, split: string, result: Evaluation): string {
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
  const head = `${name} ${split}, ${grouped(result.count)} images: loss ${result.loss.toFixed(4)}, top-1 ${percent(result.top1)}, top-5 ${percent(result.top5)}${result.auc === null ? "" : `, AUC ${result.auc.toFixed(4)}`}`;
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
