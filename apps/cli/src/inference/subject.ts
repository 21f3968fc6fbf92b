import type { DataSplits, IndexedDataset } from "@convkit/datasets";
import { findArchitecture, isModelName } from "@convkit/models";
import { evaluate, type EvaluateOptions, type Evaluation } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { imageShape } from "../inputs/image-shape.ts";
import type { ModelOptions } from "../inputs/model-options.ts";
import { inputOf, type ResolvedModel, resolveModel } from "../inputs/model-source.ts";
import { isSavedModel, openSavedModel } from "../inputs/saved-model.ts";
import { evaluateSaved } from "./evaluate-saved-model.ts";

/** The model that is evaluated: the image size that it takes, and how it is judged. */
export interface Subject {
  readonly image: [number, number, number];
  judge(data: IndexedDataset, options: Omit<EvaluateOptions, "preprocessing">): Promise<Evaluation>;
}

/** A SavedModel, a network of the zoo with as many classes as the data, or a model that has its own. */
export async function openSubject(context: Context, name: string, options: ModelOptions): Promise<Subject> {
  const { seed } = context.options;
  if (isSavedModel(name)) {
    const network = await openSavedModel(context, name);
    const image = imageShape(name, network.input);
    return { image, judge: (data, how) => evaluateSaved(name, network, data, how).finally(() => network.dispose()) };
  }
  const judged = async ({ model, preprocessing }: ResolvedModel, data: IndexedDataset, how: EvaluateOptions) => {
    const { mistakes: _mistakes, ...result } = await evaluate(model, data, { ...how, preprocessing });
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

/** The split of that name; without a name the test images, else the validation images, else the training images. */
export function chosenSplit(
  splits: DataSplits<IndexedDataset>,
  wanted: "train" | "validation" | "test" | undefined,
): [string, IndexedDataset] {
  const split = wanted ?? (splits.test ? "test" : splits.validation ? "validation" : "train");
  const data = splits[split];
  const known = (["train", "validation", "test"] as const).filter((each) => splits[each] !== undefined);
  if (data === undefined) throw new UsageError(`${splits.name} has no ${split} images: it has ${known.join(", ")}.`);
  return [split, data];
}
