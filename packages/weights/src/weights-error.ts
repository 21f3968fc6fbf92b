import { ConvkitError } from "@convkit/errors";

/**
 * A weights or model file cannot be read or written; the message names the file, the place in it, the expected and the
 * found content.
 */
export class WeightsError extends ConvkitError {
  override readonly name = "WeightsError";
  readonly code = "CONVKIT_WEIGHTS";
  readonly file: string;
  /** The place in the file: a byte, a tensor, a layer, an entry of an archive. */
  readonly place: string;

  constructor(file: string, place: string, problem: string, options?: ErrorOptions) {
    const where = clipped(place, 1_000);
    super(`${file}${where === "" ? "" : `, ${where}`}: ${clipped(problem, 20_000)}`, options);
    this.file = file;
    this.place = where;
  }
}

function clipped(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/**
 * One error that lists every problem of a load, so that a user sees them all at once; the message shows the first 40.
 */
export function collectedError(
  file: string,
  place: string,
  summary: string,
  problems: readonly string[],
): WeightsError {
  const listed = problems.slice(0, 40).map((line) => `\n  ${line}`);
  const rest = problems.length > 40 ? `\n  … and ${problems.length - 40} more` : "";
  return new WeightsError(file, place, `${summary}${listed.join("")}${rest}`);
}
