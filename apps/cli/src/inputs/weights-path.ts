import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { userPath } from "./user-path.ts";

/**
 * The file that holds weights at a path: the path itself, or of a folder the best model of a run directory or a tfjs
 * model.json. Undefined if there is none.
 */
export function weightsPath(name: string): string | undefined {
  const path = userPath(name);
  if (!existsSync(path)) return undefined;
  if (!statSync(path).isDirectory()) return path;
  return [join(path, "model", "model.json"), join(path, "model.json")].find((file) => existsSync(file));
}
