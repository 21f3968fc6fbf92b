import { existsSync } from "node:fs";
import path from "node:path";

/** True for the folder of a SavedModel that holds a TensorFlow graph alone: without the layers that Keras 2 writes beside it. */
export function isPredictOnly(folder: string): boolean {
  const has = (name: string): boolean => existsSync(path.join(folder, name));
  return has("saved_model.pb") && !has("keras_metadata.pb");
}
