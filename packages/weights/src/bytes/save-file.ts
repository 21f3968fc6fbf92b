import { type ByteSink, unwritable, writeFileAtomic, writeFolderAtomic } from "@convkit/files";
import { WeightsError } from "../weights-error.ts";

/** Writes a file, whole or not at all. Returns its size in bytes; throws a `WeightsError` if it cannot be written. */
export async function saveFile(path: string, fill: (sink: ByteSink) => void): Promise<number> {
  return writeFileAtomic(path, fill).catch((error: unknown) => {
    throw unsaved(path, error);
  });
}

/** Writes a folder, whole or not at all. It replaces an existing folder of that name. */
export async function saveFolder(path: string, fill: (folder: string) => void | Promise<void>): Promise<void> {
  await writeFolderAtomic(path, fill).catch((error: unknown) => {
    throw unsaved(path, error);
  });
}

function unsaved(path: string, error: unknown): WeightsError {
  if (error instanceof WeightsError) return error;
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  // No path is at fault: only code throws these.
  if (root instanceof TypeError || root instanceof ReferenceError)
    return new WeightsError(
      path,
      "",
      `cannot be written because of a fault in convkit or in a layer class of yours (${root.message}); report it with the model's summary if the model has no class of yours`,
      { cause: error },
    );
  return new WeightsError(path, "", unwritable(path, error).problem.replace(/\.$/, ""), { cause: error });
}
