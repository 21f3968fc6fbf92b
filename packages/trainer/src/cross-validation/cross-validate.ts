import { join, warn } from "@convkit/files/system";
import { classCounts, type IndexedDataset, splitFolds } from "@convkit/datasets";
import { checkOptions, type OptionNames, shown, someText, trueOrFalse, wholeFromOne } from "@convkit/errors";
import { writeJson } from "@convkit/files";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Callback } from "../callbacks/callback.ts";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { trainOptionNames } from "../loop/check-options.ts";
import { train } from "../loop/train.ts";
import type { RunResult, TrainOptions } from "../loop/train-options.ts";
import { TrainerError } from "../trainer-error.ts";
import { type FoldStatistics, foldStatistics } from "./fold-statistics.ts";

/** What a cross-validation sets for each fold, or what belongs to one training only. */
type OfOneTraining = "model" | "data" | "validation" | "callbacks" | "claim" | "sampleWeights";

/** Options of `crossValidate`: those of `train`, and the folds. */
export interface CrossValidateOptions extends Omit<TrainOptions, OfOneTraining> {
  /** Makes a new model for each fold (counted from 1); it is disposed when its fold is done. */
  readonly model: (fold: number) => LayersModel | Promise<LayersModel>;
  /** The images, each of which is validated on once. */
  readonly data: IndexedDataset;
  /** Number of folds; 5 by default. */
  readonly folds?: number | undefined;
  /** Whether each class has the same share in all folds; true by default if the images have classes. */
  readonly stratify?: boolean | undefined;
  /** Makes the callbacks of a fold (counted from 1): `() => [earlyStopping()]`. None by default. */
  readonly callbacks?: ((fold: number) => readonly Callback[]) | undefined;
  /** The folder of the run directories `fold-1`, `fold-2` …, and of `folds.json` with the statistics; none by default. */
  readonly out?: string | undefined;
}

/** The trainings of a cross-validation, and their validations together. */
export interface CrossValidation {
  /** The result of each fold's training; fewer than the folds if it was interrupted. */
  readonly folds: readonly RunResult[];
  /** Mean and deviation over the folds by the columns of `history.csv`: `val_loss`, `val_accuracy`, `val_auc`. */
  readonly statistics: Readonly<Record<string, FoldStatistics>>;
  readonly interrupted: boolean;
}

const { sampleWeights: _sampleWeights, validation: _validation, claim: _claim, ...shared } = trainOptionNames;
const optionNames: OptionNames<CrossValidateOptions> = { ...shared, folds: true };

/**
 * Trains a new model for each fold on the other folds, and validates it on the fold (k-fold cross-validation, Stone 1974).
 * The statistics are those of the last epochs, since the best epoch of each fold would be chosen by the images that judge it.
 * `resume: true` continues with the first fold that is not done. Throws `TrainerError` as `train` does, and a `DataError` for
 * folds that the images cannot fill.
 */
export async function crossValidate(options: CrossValidateOptions): Promise<CrossValidation> {
  checkOptions("crossValidate", options, optionNames, (message) => new TrainerError(message));
  const { model, data, folds: count = 5, stratify, callbacks, out, ...rest } = options;
  throwProblems([
    ...valueProblems("folds", count, wholeFromOne),
    ...valueProblems("stratify", stratify ?? true, trueOrFalse),
    ...valueProblems("out", out ?? "", someText),
    ...functionProblems("model", model, "(fold) => createModel(…)"),
    ...(callbacks === undefined ? [] : functionProblems("callbacks", callbacks, "(fold) => [earlyStopping()]")),
  ]);
  const splits = splitFolds(data, count, { seed: rest.seed, stratify });
  tellRareClasses(data, count, rest.onNote ?? warn);
  const results: RunResult[] = [];
  const made = new WeakSet<LayersModel>();
  for (const [index, [others, fold]] of splits.entries()) {
    const own = await model(index + 1);
    if (made.has(own))
      throw new TrainerError(
        `crossValidate: expected model to make a new model for each fold, got the one of an earlier fold for fold ${index + 1}.`,
      );
    made.add(own);
    try {
      const result = await train({
        ...rest,
        ...(out !== undefined && { out: join(out, foldFolder(index)) }),
        ...(callbacks && { callbacks: callbacks(index + 1) }),
        model: own,
        data: { name: data.name, train: others, validation: fold },
      });
      results.push(result);
    } finally {
      own.dispose();
    }
    if (results.at(-1)!.interrupted) return { folds: results, statistics: {}, interrupted: true };
  }
  const statistics = foldStatistics(results);
  if (out !== undefined) await writeJson(join(out, "folds.json"), { folds: count, statistics });
  return { folds: results, statistics, interrupted: false };
}

/** The name of a fold's run directory; `index` counts from 0. */
export function foldFolder(index: number): string {
  return `fold-${index + 1}`;
}

function functionProblems(name: string, value: unknown, example: string): string[] {
  return typeof value === "function"
    ? []
    : [`crossValidate: expected ${name} to be a function, ${example}, got ${shown(value)}.`];
}

/** Says which classes have too few images for each fold. */
export function tellRareClasses(data: IndexedDataset, folds: number, onNote: (note: string) => void): void {
  const rare = classCounts(data).flatMap((images, label) => (images > 0 && images < folds ? [{ images, label }] : []));
  if (data.classes.length === 0 || rare.length === 0) return;
  const listed = rare.map(({ images, label }) => `${data.classes[label]} (${images})`).join(", ");
  onNote(`${data.name}: too few images for each of the ${folds} folds to have one of the class ${listed}.`);
}
