import type * as tfl from "@tensorflow/tfjs-layers";
import { writeAtomically } from "./atomic-file.ts";
import { writeKeras, writeLegacyH5, writeWeightsH5 } from "./keras/write-keras.ts";
import { WeightsError } from "./weights-error.ts";

export type ModelFormat = "keras" | "h5" | "weights-h5";

export interface SaveOptions {
  /** Instead of what the path's ending says. */
  format?: ModelFormat;
}

export interface SaveReport {
  readonly path: string;
  readonly format: ModelFormat;
  readonly bytes: number;
  readonly tensors: number;
}

/**
 * Writes a model in the format that the path's ending names: `.keras`, `.h5` or `.hdf5` (whole models), `.weights.h5`. The file
 * appears whole or not at all. Throws `WeightsError` naming each layer that the format cannot hold.
 */
export function saveModel(
  model: tfl.LayersModel,
  path: string,
  { format = formatOf(path) }: SaveOptions = {},
): SaveReport {
  const write = { keras: writeKeras, h5: writeLegacyH5, "weights-h5": writeWeightsH5 }[format];
  const bytes = writeAtomically(path, (sink) => write(sink, model, path));
  return { path, format, bytes, tensors: model.weights.length };
}

const endings: readonly (readonly [RegExp, ModelFormat])[] = [
  [/\.weights\.(h5|hdf5)$/i, "weights-h5"],
  [/\.(h5|hdf5)$/i, "h5"],
  [/\.keras$/i, "keras"],
];

/** The format that a path's ending names. */
export function formatOf(path: string): ModelFormat {
  const format = endings.find(([ending]) => ending.test(path))?.[1];
  if (format === undefined) throw new WeightsError(path, "", "expected a path that ends in .keras, .h5 or .weights.h5");
  return format;
}
