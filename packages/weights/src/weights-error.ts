/** What every reader, writer and loader of this package throws: which file, where in it, what was expected and what came. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
  readonly file: string;
  /** Where in the file: a byte, a tensor, a layer, an entry of an archive. */
  readonly place: string;

  constructor(file: string, place: string, problem: string, options?: ErrorOptions) {
    const where = clipped(place, 1_000);
    super(`${file}${where === "" ? "" : `, ${where}`}: ${clipped(problem, 20_000)}`, options);
    this.file = file;
    this.place = where;
  }
}

/** A value of a file as an error shows it: a hostile one may be long, or deeper than the engine's stack. */
export function shown(value: unknown): string {
  try {
    return clipped(JSON.stringify(value) ?? String(value), 200);
  } catch {
    return "something that cannot be shown";
  }
}

function clipped(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/** Every problem of one load together, so that a user mends them in one go. */
export function collectedError(
  file: string,
  place: string,
  summary: string,
  problems: readonly string[],
): WeightsError {
  const shown = problems.slice(0, 40).map((line) => `\n  ${line}`);
  const rest = problems.length > 40 ? `\n  … and ${problems.length - 40} more` : "";
  return new WeightsError(file, place, `${summary}${shown.join("")}${rest}`);
}
