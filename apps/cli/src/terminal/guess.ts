import { nearest } from "@convkit/errors";

/** ` Did you mean x?` for a mistyped word; empty where no name is near. */
export function guess(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}
