import type { Batch, Dataset, DataSplits } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { modelMetadata } from "@convkit/core";
import { shown } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";

/** Refuses data that does not fit the model, before the first step; the error has one sentence for each reason. */
export function checkData(model: LayersModel, data: DataSplits): void {
  checkModel("train", model);
  const problems = [
    ...shapeProblems(model, data.train),
    ...classProblems(model, data.train),
    ...labelProblems(data.train),
    ...[data.validation, data.test].flatMap((other) =>
      other === undefined ? [] : agreementProblems(data.train, other),
    ),
  ];
  if (data.train.size === 0) problems.unshift(`${data.train.name} has no images to train on.`);
  if (data.validation?.size === 0) problems.push(`${data.validation.name} leaves no images for validation.`);
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}

/** Refuses evaluation data that does not fit the model. Classes are matched by name if the model names its classes. */
export function checkEvaluationData(model: LayersModel, data: Dataset): void {
  checkModel("evaluate", model);
  if (typeof (data as Partial<Dataset> | undefined)?.batches !== "function") {
    throw new TrainerError(`evaluate: expected a data set such as fromArrays gives, got ${shown(data)}.`);
  }
  const isNamed = modelMetadata(model).classes !== undefined;
  const problems = [...shapeProblems(model, data), ...(isNamed ? [] : classProblems(model, data))];
  if (data.size === 0) problems.unshift(`${data.name} has no images to evaluate.`);
  if (problems.length > 0) throw new TrainerError(problems.join(" "));
}

/** Refuses what is no model, such as a promise of `loadModel` that nobody awaited. */
function checkModel(where: string, model: Partial<LayersModel> | undefined): void {
  if (Array.isArray(model?.outputs)) return;
  throw new TrainerError(
    `${where}: expected a model such as createModel or \`await loadModel\` gives, got ${shown(model)}.`,
  );
}

/** Refuses labels that are not class indices and pixels that are not finite: a user's own data set may contain them. */
export function checkBatch(batch: Batch, data: Dataset): void {
  const stray = batch.labels.findIndex((label) => label < 0 || label >= data.classes.length);
  if (stray !== -1)
    throw new TrainerError(
      `${data.name}: image ${batch.indices[stray]} has the label ${batch.labels[stray]}, but there are ${data.classes.length} classes, 0 to ${data.classes.length - 1}.`,
    );
  if (!(batch.images instanceof Float32Array)) return;
  const place = batch.images.findIndex((value) => !Number.isFinite(value));
  if (place === -1) return;
  const pixels = batch.images.length / batch.labels.length;
  throw new TrainerError(
    `${data.name}: image ${batch.indices[Math.floor(place / pixels)]} has a pixel that is ${batch.images[place]}; every value must be a finite number.`,
  );
}

function shapeProblems(model: LayersModel, data: Dataset): string[] {
  const wanted = model.inputs[0]!.shape.slice(1);
  const fits = wanted.length === 3 && wanted.every((size, axis) => size === null || size === data.shape[axis]);
  return fits
    ? []
    : [
        `${data.name} has images of ${data.shape.join("x")} but ${model.name} takes ${wanted.map((size) => size ?? "any").join("x")}.`,
      ];
}

/** Throws if no image in a pass over `data` could be read. */
export function checkRead(images: number, data: Dataset): void {
  if (images === 0) throw new TrainerError(`No image of ${data.name} can be read.`);
}

function classProblems(model: LayersModel, data: Dataset): string[] {
  const outputs = model.outputs[0]!.shape.at(-1);
  const classes = data.classes.length;
  const shape = model.outputs[0]!.shape;
  if (shape.length > 2)
    return [
      `${model.name} ends in the shape ${shape.slice(1).join("x")}, not in one number a class: add flatten() or globalAvgPool() before the last dense layer.`,
    ];
  if (classes < 2)
    return [
      `${data.name} has ${classes === 1 ? `one class (${data.classes[0]})` : "no classes"}; there must be at least two to tell apart.`,
    ];
  if (outputs === 1 ? classes === 2 : outputs === classes) return [];
  return [
    `${data.name} has ${classes} classes but ${model.name} has ${outputs} ${outputs === 1 ? "output, which tells two apart" : "outputs"}.`,
  ];
}

function labelProblems(data: Dataset): string[] {
  const { labels } = data as { labels?: Int32Array };
  if (labels === undefined || labels.length === 0) return [];
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const stray = [...counts.keys()].find((label) => label < 0 || label >= data.classes.length);
  if (stray !== undefined)
    return [
      `${data.name} has the label ${stray}, but its ${data.classes.length} classes are numbered 0 to ${data.classes.length - 1}.`,
    ];
  if (counts.size === 1)
    return [
      `All ${labels.length} images of ${data.name} are of the class ${data.classes[labels[0]!]}; there must be at least two classes to tell apart.`,
    ];
  return [];
}

/** Whether names of classes are equal, composed (NFC) or not: `é` may be one code point or two. */
export function hasSameClasses(some: readonly string[], others: readonly string[]): boolean {
  return some.join("\n").normalize("NFC") === others.join("\n").normalize("NFC");
}

function agreementProblems(train: Dataset, other: Dataset): string[] {
  const problems: string[] = [];
  if (other.shape.join() !== train.shape.join())
    problems.push(
      `${other.name} has images of ${other.shape.join("x")} but ${train.name} of ${train.shape.join("x")}.`,
    );
  if (!hasSameClasses(other.classes, train.classes))
    problems.push(
      `${other.name} has the classes ${other.classes.join(", ")} but ${train.name} has ${train.classes.join(", ")}.`,
    );
  return problems;
}
