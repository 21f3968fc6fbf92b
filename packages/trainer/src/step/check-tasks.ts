import { endOf } from "@convkit/core/internal";
import type { Dataset, IndexedDataset } from "@convkit/datasets";
import { shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { isOwn, type LossName, lossText } from "../objective/loss.ts";
import { hasAccuracy, type OutputTask, targetsOf } from "../objective/output-tasks.ts";

/** One sentence for each loss and output that do not fit a target. */
export function taskProblems(model: LayersModel, data: Dataset, tasks: readonly OutputTask[]): string[] {
  return tasks.flatMap((task) => {
    const own = [
      ...shapeProblems(model, data, task),
      ...lossProblems(model, data, task),
      ...rangeProblems(model, data, task),
    ];
    return own.length > 0 ? own.slice(0, 1) : ownLossProblems(model, data, task);
  });
}

const categorical: ReadonlySet<LossName> = new Set(["sparse-categorical-crossentropy", "categorical-crossentropy"]);

function isTriplet(name: LossName): boolean {
  return name.startsWith("triplet");
}

/** The output's shape against the target's. */
function shapeProblems(model: LayersModel, data: Dataset, task: OutputTask): string[] {
  const { kind, loss, names } = task;
  const shape = shapeOf(model, task);
  const target = targetsOf(data)[task.target]!;
  const whole = `${model.name}'s output ${task.output} has the shape ${textOf(shape)}`;
  if (kind === "class") {
    if (isOwn(loss) || isTriplet(loss.name)) {
      if (shape.length === 1) return [];
      return [`${whole}; ${lossText(loss)} needs one row of numbers an image: add flatten() or globalAvgPool().`];
    }
    // Data of classes alone is checked by its classes.
    if (data.targets === undefined || hasAccuracy(task)) return [];
    return [`${whole}, but the target ${task.target} of ${data.name} has ${names.length} classes.`];
  }
  if (kind === "mask") {
    const [height, width] = target.shape;
    const last = shape.at(-1);
    const fits =
      shape.length === 3 &&
      (shape[0] === null || shape[0] === height) &&
      (shape[1] === null || shape[1] === width) &&
      (last === names.length || (last === 1 && names.length === 2));
    if (fits) return [];
    return [
      `${whole}, but the masks of ${data.name} are ${height}x${width} with ${names.length} classes: expected ${height}x${width}x${names.length === 2 ? "2 or 1" : names.length}.`,
    ];
  }
  if (shape.length === 1 && shape[0] === names.length) return [];
  const what = kind === "labels" ? "labels" : "numbers";
  return [
    `${whole}, but the target ${task.target} of ${data.name} has ${names.length} ${what} (${listed(names)}): expected the shape [${names.length}].`,
  ];
}

/** The loss against the target and against the output's softmax or sigmoid. */
function lossProblems(model: LayersModel, { name }: Dataset, task: OutputTask): string[] {
  const { kind, loss, output, target } = task;
  if (isOwn(loss)) return [];
  const { kind: end } = endOf(model.outputs[task.index]!);
  const units = shapeOf(model, task).at(-1);
  const isCategorical = categorical.has(loss.name);
  if (kind === "labels" && (isCategorical || isTriplet(loss.name)))
    return [
      `The loss ${loss.name} is for one class an image, but ${target} of ${name} has several labels: use binary-crossentropy or focal.`,
    ];
  if (kind === "numbers" && (isCategorical || isTriplet(loss.name) || /^(binary-crossentropy|focal)$/.test(loss.name)))
    return [`The loss ${loss.name} is for classes, but ${target} of ${name} has numbers: use mse, mae or huber.`];
  if (kind === "mask" && !isCategorical && !/^(binary-crossentropy|focal)$/.test(loss.name))
    return [
      `The loss ${loss.name} does not tell the classes of a mask apart: use sparse-categorical-crossentropy, binary-crossentropy or focal.`,
    ];
  if (units === 1 && isCategorical && (kind === "class" || kind === "mask"))
    return [`The model has one output, so its loss must be binary-crossentropy or focal, not ${loss.name}.`];
  const isBinary = loss.name === "binary-crossentropy" || (loss.name === "focal" && kind === "labels");
  if (isBinary && end === "softmax" && units !== 1)
    return [
      `${model.name}'s output ${output} ends in a softmax, whose values exclude each other; ${loss.name} needs a sigmoid or no activation.`,
    ];
  if (units === 1 && end === "softmax")
    return [`${model.name}'s output ${output} ends in a softmax over one value, which is always 1: use a sigmoid.`];
  if ((isCategorical || (loss.name === "focal" && kind !== "labels")) && end === "sigmoid" && units !== 1)
    return [
      `${model.name}'s output ${output} ends in a sigmoid, but ${loss.name} needs a softmax or no activation; for a sigmoid use binary-crossentropy.`,
    ];
  return [];
}

/** Numbers that a sigmoid or softmax cannot give. */
function rangeProblems(model: LayersModel, data: Dataset, task: OutputTask): string[] {
  const values = (data as Partial<IndexedDataset>).targetValues?.[task.target];
  const { kind: end } = endOf(model.outputs[task.index]!);
  if (task.kind !== "numbers" || values === undefined || (end !== "sigmoid" && end !== "softmax")) return [];
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least >= 0 && most <= 1) return [];
  return [
    `${model.name}'s output ${task.output} ends in a ${end}, from 0 to 1, but ${task.target} of ${data.name} has numbers from ${tidy(least)} to ${tidy(most)}: end without an activation, or scale the numbers.`,
  ];
}

/** Tries a loss of the user's on zeros of the right shapes: it must give one value for each example. */
function ownLossProblems(model: LayersModel, data: Dataset, task: OutputTask): string[] {
  const { loss, kind } = task;
  if (!isOwn(loss)) return [];
  // Another number than the output's, so that a mean over the wrong axis has the wrong shape.
  const images = task.units === 5 ? 7 : 5;
  const side = kind === "mask" ? targetsOf(data)[task.target]!.shape : [];
  const shape = [images, ...shapeOf(model, task).map((size, axis) => size ?? side[axis] ?? 1)];
  const isWhole = kind === "class" || kind === "mask";
  return tf.tidy(() => {
    const target = [images, ...targetsOf(data)[task.target]!.shape];
    const yTrue = tf.zeros(target, isWhole ? "int32" : "float32");
    try {
      const given: unknown = loss.fn(yTrue, tf.fill(shape, 0.5));
      if (!(given instanceof tf.Tensor))
        return [`${capital(lossText(loss))} must return a tensor, not ${shown(given)}.`];
      if (given.rank > 0 && given.shape[0] === images) return [];
      return [
        `${capital(lossText(loss))} must return one value for each example: expected the shape [${images}] for yTrue [${target.join(", ")}] and yPred [${shape.join(", ")}], got [${given.shape.join(", ")}].`,
      ];
    } catch (error) {
      return [
        `${capital(lossText(loss))} failed on yTrue [${target.join(", ")}] and yPred [${shape.join(", ")}]: ${(error as Error).message.replace(/\.$/, "")}.`,
      ];
    }
  });
}

function shapeOf(model: LayersModel, { index }: OutputTask): (number | null)[] {
  return model.outputs[index]!.shape.slice(1);
}

function textOf(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? "any").join(", ")}]`;
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;
}

function tidy(value: number): number {
  return Number(value.toPrecision(4));
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
