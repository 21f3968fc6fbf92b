import { unwritable } from "@convkit/files";
import { WeightsError } from "../weights-error.ts";

/** The WeightsError for whatever went wrong while `path` was written. */
export function writeProblem(path: string, error: unknown): WeightsError {
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
