/** What went wrong with a data set, in one sentence: what was expected, what came, where, what to do. */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** The message of anything thrown, for the end of a sentence of ours; what it says twice, as libvips does, is said once. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  return [...new Set(lines)].filter((line) => line !== "").join("; ");
}
