import { existsSync } from "node:fs";
import { join } from "node:path";
import { isConvkitError, oneOf, trueOrFalse, type ValueRule, wholeFromOne, wholeFromZero } from "@convkit/errors";
import type { Target } from "@convkit/datasets";
import { readJson } from "@convkit/files";
import { preprocessingKinds } from "./preprocessing-option.ts";
import { checkPlan, type Plan, TrainerError } from "@convkit/trainer";
import { listOf, record, type StoredShape, storedProblems, text, throwStored } from "@convkit/trainer/internal";

/** The parts of a run's `config.json` that other commands besides `train` read. */
export interface StoredRun {
  readonly name: string;
  readonly seed: number;
  readonly plan: Plan;
  readonly dataFrom?: string;
  readonly outside?: boolean;
  readonly classes?: readonly string[];
  /** What the images of the run have beside or in place of a class, by the names of the targets; missing for classes alone. */
  readonly targets?: Readonly<Record<string, Target>>;
  /** The fold (counted from 1) that the run of a cross-validation validates on. */
  readonly fold?: { readonly number: number; readonly of: number };
}

/** The configuration of the run in `folder`; undefined if the folder is not a run directory. */
export async function storedRun(folder: string): Promise<StoredRun | undefined> {
  const file = join(folder, "config.json");
  return existsSync(file) ? readConfig(file) : undefined;
}

/**
 * Reads a run's `config.json` and checks every field that is used. Throws a `FileError` or `TrainerError` that names the file if
 * it is damaged.
 */
export async function readConfig(file: string): Promise<StoredRun> {
  const config = (await readJson(file)) as unknown as StoredRun;
  throwStored(file, storedProblems("config", config, configShape));
  namingFile(file, () => checkPlan(config.plan));
  return config;
}

/** Names the file in what `check` throws of its content. */
export function namingFile(file: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!isConvkitError(error)) throw error;
    throw new TrainerError(`${file} is damaged: ${error.message}`, { cause: error });
  }
}

const number: ValueRule = ["a number", (value) => typeof value === "number"];
const counts = { train: wholeFromOne, validation: wholeFromOne, test: wholeFromOne };

/** Limits of a network that is made before its weights are read: a damaged number must not take all memory. */
const [mostClasses, longestSide, mostWidth] = [1_000_000, 16_384, 8192];
const isWithin =
  (most: number) =>
  (value: unknown): boolean =>
    wholeFromOne[1](value) && (value as number) <= most;

const planShape: StoredShape = {
  fields: { model: text, data: text, optimizer: record, batch: wholeFromOne, epochs: wholeFromOne },
  optional: {
    modelOptions: {
      fields: {},
      optional: {
        classes: [`a whole number from 1 to ${mostClasses}`, isWithin(mostClasses)],
        input: [
          `height, width and channels up to ${longestSide}`,
          (value) => Array.isArray(value) && value.length === 3 && value.every(isWithin(longestSide)),
        ],
        aux: trueOrFalse,
        widths: listOf([`a whole number from 1 to ${mostWidth}`, isWithin(mostWidth)]),
      },
    },
    validation: ["test or a number above 0", (value) => value === "test" || (typeof value === "number" && value > 0)],
    limit: [
      "a whole number from 1, or one for each split",
      (value) => wholeFromOne[1](value) || storedProblems("", value, { fields: {}, optional: counts }).length === 0,
    ],
    resize: trueOrFalse,
    classWeights: [
      "balanced or a list of numbers",
      (value) => value === "balanced" || (Array.isArray(value) && value.every(number[1])),
    ],
    outputWeights: listOf(number),
    lossWeights: record,
    columns: record,
    masks: record,
    expects: { fields: {}, optional: { accuracy: number, metrics: record } },
  },
};

/** What a configuration must have. */
export const configShape: StoredShape = {
  fields: {
    name: text,
    seed: wholeFromZero,
    plan: planShape,
  },
  optional: {
    precision: oneOf(["float32", "bfloat16", "float16"]),
    deterministic: trueOrFalse,
    quick: trueOrFalse,
    threads: wholeFromOne,
    dataFrom: text,
    outside: trueOrFalse,
    weights: text,
    state: text,
    preprocessingKind: oneOf(preprocessingKinds),
    freeze: trueOrFalse,
    adaptChannels: trueOrFalse,
    keepBest: wholeFromOne,
    validationRuntime: oneOf(["auto", "openvino", "onnxruntime"]),
    health: wholeFromOne,
    logSteps: wholeFromOne,
    folds: wholeFromOne,
    fold: { fields: { number: wholeFromOne, of: wholeFromOne } },
    classes: listOf(text),
    targets: record,
    environment: record,
  },
};
