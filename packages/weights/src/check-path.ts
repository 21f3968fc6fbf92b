import { OptionError, shown } from "@convkit/errors";

/** Throws an `OptionError` for what is no path of a file or folder. */
export function checkPath(where: string, path: unknown): void {
  if (typeof path === "string" && path !== "") return;
  throw new OptionError(`${where}: expected the path of a file or folder, got ${shown(path)}.`);
}
