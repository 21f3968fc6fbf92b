import { describe, expect, it } from "vitest";
import { cases } from "../src/cases.ts";
import { isBehind, readNotes, unexplained, withNotes } from "../src/notes.ts";
import { withRatios } from "../src/result.ts";
import { row } from "./rows.ts";

const name = "train/lenet5-b32";
const behind = withRatios([row(name, "convkit", 4, { note: "steps failed: x" }), row(name, "keras", 3)]);
const ahead = withRatios([row(name, "convkit", 2), row(name, "keras", 3)]);
const notes = { [name]: "Calls cost more here; several steps a call were tried." };

describe("withNotes", () => {
  it("says why a row is behind, once", () => {
    const once = withNotes(behind, notes);
    expect(once[0]!.note).toBe(`steps failed: x; ${notes[name]}`);
    expect(once[1]!.note).toBe("");
    expect(withNotes(once, notes)).toEqual(once);
  });

  it("leaves a row alone that is ahead", () => {
    expect(withNotes(ahead, notes)).toEqual(ahead);
  });
});

it.each([
  ["train/lenet5-b32", "convkit", 4, true],
  ["predict/lenet5-b1", "convkit", 4, true],
  ["memory/lenet5-b32", "convkit", 4, false],
  ["train/lenet5-b32", "convkit-wasm", 4, false],
  ["train/lenet5-b32", "convkit", 3, false],
] as const)("a row of %s, %s at %d against 3 is behind: %s", (at, system, median, expected) => {
  expect(isBehind(withRatios([row(at, system, median), row(at, "keras", 3)])[0]!)).toBe(expected);
});

it("names the rows that are behind without a note", () => {
  expect(unexplained(behind, {})).toEqual([name]);
  expect(unexplained(behind, notes)).toEqual([]);
});

it("the committed notes are of cases that there are", () => {
  const known = cases.map((each) => each.name);
  for (const [noted, text] of Object.entries(readNotes())) {
    expect(known).toContain(noted);
    expect(text).toMatch(/\.$/);
  }
});
