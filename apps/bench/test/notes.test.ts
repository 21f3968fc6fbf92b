import { describe, expect, it } from "vitest";
import { caseMatcher } from "../src/cases/case-matcher.ts";
import { cases } from "../src/cases/cases.ts";
import { gainsLittle, isBehind, noteOf, patternsOf, readNotes, unexplained, withReasons } from "../src/readme/notes.ts";
import { withRatios } from "../src/results/result.ts";
import { row } from "./rows.ts";

const name = "train/lenet5-b32";
const behind = withRatios([row(name, "convkit", 4, { note: "steps failed: x" }), row(name, "keras", 3)]);
const ahead = withRatios([row(name, "convkit", 2), row(name, "keras", 3)]);
const why = "Calls cost more here; several steps a call were tried.";
const notes = { behind: { [name]: why }, runtimes: {}, bfloat16: {} };

describe("noteOf", () => {
  const some = { "train/a-b1": "one", "train/a-*, predict/a-b?": "some", "predict/*": "others" };

  it.each([
    ["train/a-b1", "one"],
    ["train/a-b8", "some"],
    ["predict/a-b8", "some"],
    ["predict/a-b32", "others"],
    ["train/b-b1", undefined],
  ])("of %s is the first that fits: %s", (at, expected) => {
    expect(noteOf(some, at)).toBe(expected);
  });
});

describe("withReasons", () => {
  it("says why a row is behind, beside its note, and replaces what was said before", () => {
    const once = withReasons(behind, notes);
    expect(once[0]).toMatchObject({ note: "steps failed: x", reason: why });
    expect(once[1]!.reason).toBeUndefined();
    expect(withReasons(once, { behind: { "train/*": "Another reason." }, runtimes: {}, bfloat16: {} })[0]!.reason).toBe(
      "Another reason.",
    );
    expect(withReasons(once, { behind: {}, runtimes: {}, bfloat16: {} })[0]).toEqual(behind[0]);
  });

  it("says of a prediction by OpenVINO what holds there, not what holds of TensorFlow", () => {
    const at = "predict/lenet5-b1";
    const rows = withRatios([{ ...row(at, "convkit", 4), variant: "openvino" }, row(at, "onnxruntime", 3)]);
    const both = { behind: { "predict/*": "Small kernels." }, runtimes: { "predict/*": why }, bfloat16: {} };
    expect(withReasons(rows, both)[0]!.reason).toBe(why);
    expect(withReasons([{ ...rows[0]!, variant: "compiled" }, rows[1]!], both)[0]!.reason).toBe("Small kernels.");
  });

  it("says why bfloat16 gains little", () => {
    const rows = withRatios([row(name, "convkit", 4), row(name, "convkit-bf16", 3), row(name, "keras", 5)]);
    const text = "Casts take what the kernels save.";
    const [float32, bfloat16] = withReasons(rows, {
      behind: { "train/*": why },
      runtimes: {},
      bfloat16: { "train/*": text },
    });
    expect(float32!.reason).toBeUndefined();
    expect(bfloat16!.reason).toBe(text);
  });

  it("leaves a row alone that is ahead", () => {
    expect(withReasons(ahead, notes)).toEqual(ahead);
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

it.each([
  ["train/lenet5-b32", "convkit-bf16", 2.7, true],
  ["train/lenet5-b32", "convkit-bf16", 2.6, false],
  ["train/lenet5-b32", "convkit-bf16", null, false],
  ["train/lenet5-b32", "convkit-wasm", 4, false],
  ["memory/lenet5-b32", "convkit-bf16", 4, false],
] as const)("a row of %s, %s at %d against 4 in float32 gains little: %s", (at, system, median, expected) => {
  const rows = [row(at, "convkit", 4), row(at, system, median)];
  expect(gainsLittle(rows[1]!, rows)).toBe(expected);
});

it("names the rows that fall short without a reason", () => {
  expect(unexplained(behind)).toEqual([`${name} convkit`]);
  expect(unexplained([row(name, "convkit", 4), row(name, "convkit-bf16", 3)])).toEqual([`${name} convkit-bf16`]);
  expect(unexplained(withReasons(behind, notes))).toEqual([]);
});

it.each(
  Object.values(readNotes())
    .flatMap((reasons) => Object.entries(reasons))
    .flatMap(([key, text]) => patternsOf(key).map((pattern) => [pattern, text] as const)),
)("the committed note on %s is a sentence on cases that there are", (pattern, text) => {
  expect(cases.some((each) => caseMatcher(pattern)(each.name))).toBe(true);
  expect(text).toMatch(/\.$/);
});
