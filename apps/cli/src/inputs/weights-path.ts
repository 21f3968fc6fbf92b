import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { userPath } from "./user-path.ts";

/** What a folder has that is weights as a whole: a SavedModel, or an unpacked `.keras`. */
const folderMarks = ["saved_model.pb", "model.weights.h5", "model.weights.json"];

/**
 * What holds weights at a path: the path itself, or of a folder the best model of a run directory or a tfjs model.json.
 * Undefined if there is none.
 */
export function weightsPath(name: string): string | undefined {
  const path = userPath(name);
  if (!existsSync(path)) return undefined;
  if (!statSync(path).isDirectory()) return path;
  const model = [join(path, "model", "model.json"), join(path, "model.json")].find((file) => existsSync(file));
  return model ?? (folderMarks.some((mark) => existsSync(join(path, mark))) ? path : undefined);
}
