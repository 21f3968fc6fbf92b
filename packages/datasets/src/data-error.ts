/** What went wrong with a data set, in one sentence: what was expected, what came, where, what to do. */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** The message of anything thrown, for the end of a sentence of ours. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, " ").trim() : String(error);
}
