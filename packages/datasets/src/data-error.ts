import { ConvkitError } from "@convkit/errors";

/** What went wrong with a data set, in one sentence: what was expected, what came, where, what to do. */
export class DataError extends ConvkitError {
  override readonly name = "DataError";
  readonly code = "CONVKIT_DATA";
}

/** The message of anything thrown, on one line, for the end of our sentence. A line that libvips repeats is kept once. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  return [...new Set(lines)].filter((line) => line !== "").join("; ");
}
