import { ConvkitError } from "@convkit/errors";

/** A data set cannot be read or used; the message names the file, the expected and the found content, and the remedy. */
export class DataError extends ConvkitError {
  override readonly name = "DataError";
  readonly code = "CONVKIT_DATA";
}

/** The message of a thrown value on one line, for the end of a sentence. Lines that libvips repeats appear once. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  return [...new Set(lines)].filter((line) => line !== "").join("; ");
}
