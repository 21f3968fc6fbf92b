import { withoutDrawing } from "@convkit/core";
import type { BuildOptions } from "@convkit/core";
import { OptionError, shown } from "@convkit/errors";
import { createModel as freshModel, findArchitecture, zoo } from "@convkit/models";
import type { ModelAlias, ModelName } from "@convkit/models";
import { fetchImagenetWeights } from "@convkit/weights";
import { loadOrName } from "@convkit/weights/internal";
import type { Candidate } from "@convkit/weights/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { isMissing } from "convkit/platform";

/** Options of `createModel` with trained weights. */
export interface CreateOptions extends BuildOptions {
  /** `"imagenet"` for the published weights, downloaded once; or a file: .safetensors, .pth, .h5, .keras, .npz; in a web page the address of one. */
  readonly weights: string;
}

/**
 * A network of the zoo with fresh weights: `createModel("resnet50", { classes: 37, input: [160, 160, 3] })`.
 *
 * Throws an `OptionError` for an unknown name, listing close ones, and for an option that makes no sense.
 */
export function createModel(
  name: ModelName | ModelAlias,
  options?: BuildOptions & {
    /** Trained weights, `"imagenet"` or a file: the function then gives a promise. Fresh weights by default. */
    weights?: undefined;
  },
): tfl.LayersModel;
/**
 * A network of the zoo with trained weights: `await createModel("resnet50", { weights: "imagenet" })`. With another number of
 * classes than the file's, leave the top out: `{ weights: "imagenet", includeTop: false, pooling: "avg" }`.
 *
 * Rejects with an `OptionError` where no weights are published, and with a `WeightsError` for a file that does not fit.
 */
export function createModel(name: ModelName | ModelAlias, options: CreateOptions): Promise<tfl.LayersModel>;
export function createModel(
  name: ModelName | ModelAlias,
  options: BuildOptions & { readonly weights?: string | undefined } = {},
): tfl.LayersModel | Promise<tfl.LayersModel> {
  const { weights, ...made } = options;
  return weights === undefined ? freshModel(name, made) : trainedModel(name, weights, made);
}

async function trainedModel(
  name: ModelName | ModelAlias,
  weights: unknown,
  options: BuildOptions,
): Promise<tfl.LayersModel> {
  if (typeof weights !== "string") {
    throw new OptionError(`createModel: expected weights to be "imagenet" or a file, got ${shown(weights)}.`);
  }
  const architecture = findArchitecture(name);
  if (weights !== "imagenet" && isMissing(weights)) {
    throw new OptionError(
      `createModel: expected weights to be "imagenet" or a file, but there is no file ${shown(weights)}.`,
    );
  }
  const { file, published } =
    weights === "imagenet"
      ? await fetchImagenetWeights(architecture.name, { top: options.includeTop })
      : { file: weights, published: undefined };
  const model = withoutDrawing(() => freshModel(name, options));
  // A file may have the top that the model is made without.
  const withTop = options.includeTop === false ? withoutDrawing(() => freshModel(name)) : undefined;
  try {
    await loadOrName(model, file, { published, withTop }, candidates());
  } finally {
    withTop?.dispose();
  }
  return model;
}

/** The networks that a file may belong to if it does not fit. */
function candidates(): Candidate[] {
  return (Object.keys(zoo) as ModelName[]).map((name) => ({
    name,
    params: zoo[name].params,
    classes: zoo[name].classes,
    make: (classes) => freshModel(name, { classes }),
  }));
}
