import {
  type Batch,
  type Dataset,
  type DataSplits,
  type IndexedDataset,
  maskPixels,
  type Target,
} from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { modelMetadata } from "@convkit/core";
import { shown } from "@convkit/errors";
import { inputNames, targetsOf } from "../objective/output-tasks.ts";
import { TrainerError } from "../trainer-error.ts";

/** Refuses data that does not fit the model, before the first step; the error has one sentence for each reason. */
export function checkData(
  model: LayersModel,
  data: DataSplits,
  { isEmbedding = false }: { readonly isEmbedding?: boolean } = {},
): void {
  checkModel("train", model);
  const isClass = data.train.targets === undefined;
  const problems = [
    ...shapeProblems(model, data.train),
    ...(isClass && !isEmbedding ? classProblems(model, data.train) : []),
    ...(isClass ? labelProblems(data.train) : []),
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
  const problems = [
    ...shapeProblems(model, data),
    ...(isNamed || data.targets !== undefined ? [] : classProblems(model, data)),
  ];
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
  const isClass = data.targets === undefined;
  const stray = isClass ? batch.labels.findIndex((label) => label < 0 || label >= data.classes.length) : -1;
  checkTargets(batch, data);
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
  const more = inputProblems(model, data);
  if (more.length > 0) return more;
  const wanted = model.inputs[0]!.shape.slice(1);
  const fits = wanted.length === 3 && wanted.every((size, axis) => size === null || size === data.shape[axis]);
  return fits
    ? []
    : [
        `${data.name} has images of ${data.shape.join("x")} but ${model.name} takes ${wanted.map((size) => size ?? "any").join("x")}.`,
      ];
}

/** Refuses targets that the data set promised and a batch lacks, and numbers that are not finite. */
function checkTargets(batch: Batch, data: Dataset): void {
  const n = batch.labels.length;
  for (const [name, { kind, shape, names, ignore }] of Object.entries(data.targets ?? {})) {
    const values = batch.targets?.[name];
    const size = shape.reduce((product, side) => product * side, 1);
    if (values?.length !== n * size)
      throw new TrainerError(
        `${data.name}: a batch of ${n} images has ${values === undefined ? "no" : values.length} values of ${name}; expected ${n * size}.`,
      );
    const isWhole = kind === "class" || kind === "mask";
    const place = values.findIndex((value) =>
      isWhole ? value !== ignore && !(value >= 0 && value < names.length) : !Number.isFinite(value),
    );
    if (place === -1) continue;
    throw new TrainerError(
      `${data.name}: image ${batch.indices[Math.floor(place / size)]} has ${values[place]} as ${name}; expected ${isWhole ? `a class from 0 to ${names.length - 1}` : "a number"}.`,
    );
  }
}

/** The model's inputs besides the images against the data's. */
function inputProblems(model: LayersModel, data: Dataset): string[] {
  const given = data.inputs ?? {};
  const wanted = inputNames(model).slice(1);
  const missing = wanted.filter((name) => !Object.hasOwn(given, name));
  const strange = Object.keys(given).filter((name) => !wanted.includes(name));
  if (missing.length > 0 || strange.length > 0)
    return [
      `${model.name} takes images and ${wanted.length === 0 ? "nothing else" : wanted.join(", ")}, but ${data.name} has images and ${Object.keys(given).join(", ") || "nothing else"}: give the data's inputs the names of the model's inputs.`,
    ];
  return wanted.flatMap((name, place) => {
    const shape = model.inputs[place + 1]!.shape.slice(1);
    const own = given[name]!;
    const fits = shape.length === own.length && shape.every((size, axis) => size === null || size === own[axis]);
    return fits
      ? []
      : [
          `${data.name} has ${name} of the shape [${own.join(", ")}] but ${model.name} takes [${shape.map((size) => size ?? "any").join(", ")}].`,
        ];
  });
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
  if (JSON.stringify(other.targets) !== JSON.stringify(train.targets))
    problems.push(`${other.name} has the targets ${targetsText(other)} but ${train.name} has ${targetsText(train)}.`);
  if (!hasSameClasses(other.classes, train.classes))
    problems.push(
      `${other.name} has the classes ${other.classes.join(", ")} but ${train.name} has ${train.classes.join(", ")}.`,
    );
  return problems;
}

function targetsText({ targets, classes }: Dataset): string {
  const told = Object.entries(targets ?? { label: { kind: "class", names: classes } });
  return told.map(([name, { kind, names }]) => `${name} (${kind}: ${names.slice(0, 10).join(", ")})`).join(", ");
}

/** A note for classes and labels that no image has: they cannot be learned. */
export async function absentNotes(data: Dataset): Promise<string[]> {
  const { labels, targetValues, readMasks } = data as Partial<IndexedDataset>;
  const notes = Object.entries(targetsOf(data)).map(async ([name, { kind, names }]) => {
    const values = data.targets === undefined ? labels : targetValues?.[name];
    const isOfFiles = kind === "mask" && readMasks !== undefined;
    if ((values === undefined && !isOfFiles) || kind === "numbers") return [];
    const present: ArrayLike<number> = isOfFiles
      ? (await maskPixels(data as IndexedDataset, name)).map((pixels) => Math.min(1, pixels))
      : presentOf(values!, kind, names.length);
    const absent = names.filter((_, place) => present[place] === 0);
    if (absent.length === 0) return [];
    const few = `${absent.slice(0, 10).join(", ")}${absent.length > 10 ? ", …" : ""}`;
    return [`No image of ${data.name} has the ${kind === "labels" ? "label" : "class"} ${few}: it cannot be learned.`];
  });
  return (await Promise.all(notes)).flat();
}

/** 1 for each class or label that is there. */
function presentOf(values: ArrayLike<number>, kind: Target["kind"], count: number): Uint8Array {
  const present = new Uint8Array(count);
  for (let place = 0; place < values.length; place += 1)
    // A value that is not judged lies outside of the list.
    if (kind !== "labels") present[values[place]!] = 1;
    else if (values[place] === 1) present[place % count] = 1;
  return present;
}
