import type { OptionOf } from "../terminal/option.ts";

/** Columns of a CSV file, separated by commas. */
export function columnList(about: string): OptionOf<readonly string[]> {
  return { value: "<columns>", about, read: namesOf };
}

/** Names, separated by commas. */
export function nameList(about: string): OptionOf<readonly string[]> {
  return { value: "<names>", about, read: namesOf };
}

function namesOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}
