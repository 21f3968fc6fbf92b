import type { IndexedDataset } from "@convkit/datasets";
import { modelMetadata } from "@convkit/core";
import { unet } from "@convkit/models";
import type { Plan } from "@convkit/trainer";
import { UsageError } from "../terminal/usage-error.ts";
import { type PreprocessingKind, setPreprocessing } from "../inputs/preprocessing-option.ts";
import type { ResolvedModel } from "../inputs/model-source.ts";

/** The name of the network that tells a class for each pixel. */
export const maskNetwork = "unet";

/** The input of the network for masks by default. */
export const maskInput = [256, 256, 3] as const;

/** A new network for the masks of a data set. Throws a `UsageError` for data without masks. */
export function newMaskNetwork(
  { modelOptions = {}, data: source }: Pick<Plan, "modelOptions" | "data">,
  data: IndexedDataset,
  { seed, preprocessing: kind }: { readonly seed: number; readonly preprocessing?: PreprocessingKind | undefined },
): ResolvedModel {
  const [target, ...others] = Object.values(data.targets ?? {});
  if (target?.kind !== "mask" || others.length > 0)
    throw new UsageError(
      `${maskNetwork} needs images with masks: ${source} should be a folder with images and masks, or a CSV file with --mask COLUMN.`,
    );
  const { input = maskInput, widths } = modelOptions;
  const model = unet({ input, widths, classes: target.names.length, seed });
  setPreprocessing(model, kind);
  const { preprocessing = {}, images = {} } = modelMetadata(model);
  return { model, name: maskNetwork, classes: undefined, preprocessing, images, isUntrained: true };
}
