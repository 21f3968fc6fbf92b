import { ConvkitError } from "@convkit/errors";

/** A training or evaluation that cannot start or go on: expected X, got Y in Z. */
export class TrainerError extends ConvkitError {
  override readonly name = "TrainerError";
  readonly code = "CONVKIT_TRAINER";
}

/** The error for a file or folder of a run that cannot be read. */
export function unreadable(path: string, error: unknown): TrainerError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new TrainerError(code === "ENOENT" ? `${path} does not exist.` : `${path} cannot be read: ${message}.`, {
    cause: error,
  });
}
