/**
 * Base of every error that convkit throws on purpose. The message is a sentence: expected X, got Y in Z; do W. `code` names the
 * kind of error and never changes between versions, so that programs can tell errors apart without reading messages.
 */
export abstract class ConvkitError extends Error {
  abstract readonly code: `CONVKIT_${string}`;
}

/** True for errors that any convkit package threw on purpose, also where two copies of a package are installed. */
export function isConvkitError(error: unknown): error is ConvkitError {
  return error instanceof Error && "code" in error && String(error.code).startsWith("CONVKIT_");
}
