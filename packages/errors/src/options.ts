import leven from "leven";
import { OptionError } from "./option-error.ts";

/** Every option of `T`, by name: the compiler demands that none is left out and that none is added. */
export type OptionNames<T> = Readonly<Record<keyof T & string, true>>;

/**
 * Throws where `options` has a key that `names` lacks, naming the known ones and the nearest: a mistyped option must not be
 * ignored. `where` starts the sentence, for example `conv2d`. `undefined` stands for no options; anything else that is not a
 * plain object (a number, an array) is refused. The error is an OptionError, or what `failure` makes of the sentence.
 */
export function checkOptions<T extends object>(
  where: string,
  options: T | undefined,
  names: OptionNames<T>,
  failure: (message: string) => Error = (message) => new OptionError(message),
): void {
  if (options === undefined) return;
  const known = Object.keys(names);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw failure(`${where}: expected an object of options (${known.join(", ")}), got ${shown(options)}.`);
  }
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(names, key));
  if (unknown.length === 0) return;
  const guesses = unknown.map((key) => nearest(key, known)).filter((guess) => guess !== undefined);
  const hint = guesses.length > 0 ? ` Did you mean ${guesses.map((guess) => `"${guess}"`).join(", ")}?` : "";
  throw failure(
    `${where}: expected the options ${known.join(", ")}, got ${unknown.map((key) => `"${key}"`).join(", ")}.${hint}`,
  );
}

/** The known word that `word` is probably a mistyping of; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const asWritten = word.toLowerCase();
  const scored = known
    .map((candidate) => ({ candidate, distance: distance(asWritten, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((a, b) => a.distance - b.distance);
  return scored[0]?.candidate;
}

/** Edits from one word to the other; none where one starts with the other and both are long enough to be told apart. */
function distance(word: string, candidate: string): number {
  const [short, long] = word.length < candidate.length ? [word, candidate] : [candidate, word];
  if (short.length >= 3 && long.startsWith(short)) return 0;
  // Two letters exchanged, the commonest slip of the fingers, count as one edit.
  const edits = leven(word, candidate);
  return edits === 2 && letters(word) === letters(candidate) ? 1 : edits;
}

function letters(word: string): string {
  return [...word].toSorted().join("");
}

/** A value as an error shows it: text in quotes, everything on one line and at most 80 characters. */
export function shown(value: unknown): string {
  const text = textOf(value).replaceAll(/\s+/g, " ");
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function textOf(value: unknown): string {
  if (value instanceof Promise) return "a promise (write `await` before the call that gives it)";
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  try {
    return JSON.stringify(value, plainNumbers) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** JSON writes NaN and Infinity as null: an error must show them. */
function plainNumbers(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
