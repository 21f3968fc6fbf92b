import { describe, expect, it } from "vitest";
import { compareResults, formatChanges } from "../src/results/compare.ts";
import { result, row } from "./rows.ts";

const name = "train/lenet5-b32";
const before = result([row(name, "convkit", 10), row(name, "keras", 20)]);

describe("compareResults", () => {
  it.each([
    [10.2, "same"],
    [12, "slower"],
    [8, "faster"],
    [10.45, "same"],
  ] as const)("10 ms before and %d ms after is %s", (median, verdict) => {
    const after = result([row(name, "convkit", median), row(name, "keras", 20)]);
    expect(compareResults(before, after).changes[0]).toMatchObject({ system: "convkit", verdict });
  });

  it("a wide spread is no change", () => {
    const after = result([row(name, "convkit", 12, { p10: 9 }), row(name, "keras", 20)]);
    expect(compareResults(before, after).changes[0]!.verdict).toBe("same");
  });

  it("on another machine the ratios are compared", () => {
    const machine = { ...before.machine, cpu: "Another CPU" };
    const same = result([row(name, "convkit", 5), row(name, "keras", 10)], { machine });
    expect(compareResults(before, same)).toMatchObject({
      by: "ratio",
      changes: [{ verdict: "same" }, { verdict: "same" }],
    });
    const worse = result([row(name, "convkit", 10), row(name, "keras", 10)], { machine });
    expect(compareResults(before, worse).changes[0]).toMatchObject({ factor: 2, verdict: "slower" });
  });

  it("names rows that have a number in one result only, and counts cases that only one has", () => {
    const after = result([
      row(name, "convkit", null, { note: "it broke" }),
      row(name, "keras", 20),
      row(name, "torch", 30),
      row("train/other-b1", "keras", 1),
      row("train/none-b1", "keras", null),
    ]);
    const comparison = compareResults(before, after);
    expect(comparison.changes.map(({ system }) => system)).toEqual(["keras"]);
    expect(comparison.unmatched).toEqual([
      { case: name, system: "convkit", only: "before", other: "failed: it broke" },
      { case: name, system: "torch", only: "after", other: "no row" },
      { case: "train/other-b1", system: "keras", only: "after", other: "no row" },
    ]);
    expect(formatChanges(comparison).split("\n")).toEqual([
      "only before  train/lenet5-b32  convkit  (after: failed: it broke)",
      "only after  train/lenet5-b32  torch  (before: no row)",
      "1 rows of 1 cases are only in the result after.",
      "0 of 1 rows changed beyond noise (compared by times).",
    ]);
  });

  it("says what changed", () => {
    const after = result([row(name, "convkit", 12), row(name, "keras", 20)]);
    expect(formatChanges(compareResults(before, after))).toBe(
      "slower  train/lenet5-b32  convkit  +20 %\n1 of 2 rows changed beyond noise (compared by times).",
    );
  });
});
