import { metadataFromJson, modelMetadata, setModelMetadata } from "@convkit/core";
import type { ModelMetadata } from "@convkit/core";
import { checkMetadata } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { parseJson } from "../bytes/json.ts";
import { WeightsError } from "../weights-error.ts";

/** The key of a model's metadata in every format that has room for it. */
export const metadataKey = "convkit";

/** The metadata as JSON for a file; undefined if there is none. */
export function metadataText(metadata: ModelMetadata): string | undefined {
  return Object.values(metadata).every((value) => value === undefined) ? undefined : JSON.stringify(metadata);
}

/**
 * What `saveModel` writes: the model's own metadata, with the fields of `given` in place of the model's. Throws a `WeightsError` for
 * fields and values of `given` that metadata cannot have.
 */
export function metadataOf(file: string, model: tfl.LayersModel, given: ModelMetadata = {}): ModelMetadata {
  checkMetadata("metadata", given, (problem) => new WeightsError(file, "", problem));
  return { ...modelMetadata(model), ...given };
}

/** Metadata that a file holds as text; `{}` if there is none. Throws a `WeightsError` naming the place in the file. */
export function metadataFromText(file: string, place: string, text: unknown): ModelMetadata {
  return typeof text === "string" ? metadataFrom(file, place, parseJson(text, file, place)) : {};
}

/**
 * Metadata that a file holds as an object; `{}` if there is none. Throws a `WeightsError` naming the place in the
 * file.
 */
export function metadataFrom(file: string, place: string, value: unknown): ModelMetadata {
  if (value === undefined) return {};
  return metadataFromJson("the model's metadata", value, (problem) => new WeightsError(file, place, problem));
}

/** Copies the metadata of a file to the loaded model. Fields that the file lacks stay as the model has them. */
export function tellMetadata(file: string, model: tfl.LayersModel, metadata: ModelMetadata | undefined): void {
  if (metadata === undefined || Object.keys(metadata).length === 0) return;
  try {
    setModelMetadata(model, metadata);
  } catch (error) {
    throw new WeightsError(file, "", `its metadata does not fit its model: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
