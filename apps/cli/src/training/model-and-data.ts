import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { IndexedDataset } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import type { Context } from "../terminal/context.ts";
import { dataNotes } from "../inputs/data-notes.ts";
import { loadSplits } from "../inputs/load-data.ts";
import { matchModelClasses } from "../inputs/model-classes.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { inputOf, resolveModel } from "../inputs/model-source.ts";
import { setPreprocessing } from "../inputs/preprocessing-option.ts";
import { modelToTrain, outputsFor } from "./starting-model.ts";

type Preprocessing = Parameters<typeof setPreprocessing>[1];

/** Where the training images of a command lie, and how they are prepared. */
interface TrainingInputs {
  readonly data: string;
  readonly dataFrom?: string | undefined;
  readonly outside?: boolean | undefined;
  readonly preprocessing: Preprocessing;
}

/** A model of the zoo or of a file, ready to train, and the training images, with its order of the classes. */
export async function modelAndData(
  context: Context,
  name: string,
  modelGiven: ModelOptions,
  { data, dataFrom, outside, preprocessing }: TrainingInputs,
): Promise<{ readonly model: LayersModel; readonly train: IndexedDataset }> {
  const { seed = 0 } = context.options;
  const trained = isModelName(name)
    ? undefined
    : await resolveModel(name, modelGiven, seed, (note) => context.out.note(note));
  const image =
    trained === undefined ? (modelGiven.input ?? findArchitecture(name).input) : inputOf(trained.model, trained.images);
  const splits = await loadSplits(context, { data, dataFrom, outside, seed, image, fit: trained?.images });
  dataNotes(context.out, splits.train)();
  const { classes } = splits.train;
  const count = modelGiven.classes ?? outputsFor(name, classes.length);
  const { model } = await modelToTrain(context, trained, name, modelGiven, { wanted: { names: classes, count }, seed });
  setPreprocessing(model, preprocessing);
  // A kept head has its own order of the classes.
  const isKept = trained !== undefined && model === trained.model;
  return { model, train: isKept ? matchModelClasses(context.out, splits.train, trained) : splits.train };
}
