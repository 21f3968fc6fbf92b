import type { Dataset, Target } from "@convkit/datasets";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { TrainerError } from "../trainer-error.ts";
import { throwProblems } from "../checks/fields.ts";
import { lossProblems } from "./check-loss.ts";
import { fullLoss, isByOutput, isOwn, type Loss, type LossOption, type OwnLoss } from "./loss.ts";

/** What one output of a model learns. */
export interface OutputTask {
  /** The output's name, and its index in the model. */
  readonly output: string;
  readonly index: number;
  /** The name of the data's target. */
  readonly target: string;
  readonly kind: Target["kind"];
  /** The names of the classes, labels or numbers. */
  readonly names: readonly string[];
  /** The value of a mask's pixels that are not judged; missing if all are. */
  readonly ignore?: number | undefined;
  /** The length of the output's last axis. */
  readonly units: number;
  readonly loss: Loss | OwnLoss;
  /** The factor of the output's loss. */
  readonly weight: number;
  /** Factors of the labels, or of the classes of a mask. Class weights of images are part of the images' weights. */
  readonly classWeights?: readonly number[] | undefined;
}

/** The options of `train` that make the tasks of a model's outputs. */
export interface TaskOptions {
  readonly loss?: LossOption | undefined;
  /** Factor of each output's loss, by the outputs' names or in their order. */
  readonly lossWeights?: Readonly<Record<string, number>> | readonly number[] | undefined;
  readonly classWeights?: readonly number[] | Readonly<Record<string, readonly number[]>> | undefined;
}

/** The name of the only target of data whose images have a class each. */
export const classTarget = "label";

/** The targets of a data set; one class an image is a target, too. */
export function targetsOf(data: Pick<Dataset, "targets" | "classes">): Readonly<Record<string, Target>> {
  return data.targets ?? { [classTarget]: { kind: "class", names: data.classes, shape: [] } };
}

/**
 * The tasks of a model's outputs. A single target is that of all outputs; several targets belong to the outputs of
 * their names.
 */
export function outputTasks(
  model: Pick<LayersModel, "outputs" | "name">,
  data: Pick<Dataset, "name" | "targets" | "classes">,
  { loss, lossWeights = [], classWeights }: TaskOptions,
): OutputTask[] {
  throwProblems(lossProblems(typeof loss === "string" ? { name: loss } : loss));
  const targets = targetsOf(data);
  const names = outputNames(model);
  const known = Object.keys(targets);
  const target = (output: string): string => {
    if (known.length === 1) return known[0]!;
    if (Object.hasOwn(targets, output)) return output;
    throw new TrainerError(
      `${data.name} has the targets ${known.join(", ")}, and ${model.name} has the outputs ${names.join(", ")}: give each target the name of its output.`,
    );
  };
  for (const name of known)
    if (known.length > 1 && !names.includes(name))
      throw new TrainerError(
        `${data.name} has the targets ${known.join(", ")}, and ${model.name} has the outputs ${names.join(", ")}: no output has the name ${name}.`,
      );
  checkOutputNames("loss", loss !== undefined && isByOutput(loss) ? Object.keys(loss) : [], names);
  checkOutputNames("lossWeights", Array.isArray(lossWeights) ? [] : Object.keys(lossWeights), names);
  checkOutputNames("classWeights", byOutput(classWeights) ? Object.keys(classWeights) : [], names);
  return names.map((output, index) => {
    const name = target(output);
    const { kind, names: called, ignore } = targets[name]!;
    const own = loss !== undefined && isByOutput(loss) ? loss[output] : loss;
    const weights = byOutput(classWeights) ? classWeights[output] : classWeights;
    return {
      output,
      index,
      target: name,
      kind,
      names: called,
      ...(ignore !== undefined && { ignore }),
      units: model.outputs[index]!.shape.at(-1) ?? 0,
      loss: own === undefined ? usualLoss(kind, model.outputs[index]!.shape.at(-1) ?? 0) : fullLoss(own),
      weight: weightOf(lossWeights, output, index),
      ...(weights !== undefined && (kind === "labels" || kind === "mask") && { classWeights: weights }),
    };
  });
}

/** The names of a model's outputs: those of their layers, with a number where two are alike. */
function outputNames({ outputs }: Pick<LayersModel, "outputs">): string[] {
  // A sequential model has no `outputNames`.
  const names = outputs.map(({ sourceLayer }) => sourceLayer.name);
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before}`;
  });
}

/** The names of a model's inputs: those of their layers. */
export function inputNames({ inputs }: Pick<LayersModel, "inputs">): string[] {
  return inputs.map(({ sourceLayer }) => sourceLayer.name);
}

/** The usual loss: cross-entropy of classes, binary cross-entropy of labels and of one output, squares of differences of numbers. */
function usualLoss(kind: Target["kind"], outputs: number): Loss {
  if (kind === "numbers") return { name: "mse" };
  return { name: kind === "labels" || outputs === 1 ? "binary-crossentropy" : "sparse-categorical-crossentropy" };
}

/** True if the accuracy of a task is the share of right classes. */
export function hasAccuracy({ kind, loss, names, units }: OutputTask): boolean {
  if (kind !== "class" || (!isOwn(loss) && loss.name.startsWith("triplet"))) return false;
  return units === names.length || (units === 1 && names.length === 2);
}

/** True for class weights by the names of outputs. */
export function byOutput(weights: TaskOptions["classWeights"]): weights is Readonly<Record<string, readonly number[]>> {
  return typeof weights === "object" && weights !== null && !("length" in weights);
}

function weightOf(weights: NonNullable<TaskOptions["lossWeights"]>, output: string, index: number): number {
  const list = Array.isArray(weights) ? (weights as readonly number[]) : undefined;
  return (list === undefined ? (weights as Readonly<Record<string, number>>)[output] : list[index]) ?? 1;
}

function checkOutputNames(what: string, given: readonly string[], known: readonly string[]): void {
  const stray = given.find((name) => !known.includes(name));
  if (stray === undefined) return;
  throw new TrainerError(`${what} names the output ${stray}, but the model has the outputs ${known.join(", ")}.`);
}
