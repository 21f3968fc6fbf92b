import { describe, expect, it } from "vitest";
import { formatProfile, meanProfile, summarize } from "../src/profile/summary.ts";

const op = (name: string, ts: number, dur: number) => ({ name, ts, dur });

describe("summarize", () => {
  it("sums up by kind, and finds the time in which nothing ran on any thread", () => {
    const events = [op("Conv2D", 1000, 400), op("MaxPool", 1200, 400), op("Conv2D", 1800, 200)];
    expect(summarize(events)).toEqual({
      wallMs: 1,
      idle: 0.2,
      ops: [
        { op: "Conv2D", count: 2, ms: 0.6, share: 0.6 },
        { op: "MaxPool", count: 1, ms: 0.4, share: 0.4 },
      ],
    });
  });

  it("an op inside another leaves no gap", () => {
    expect(summarize([op("A", 0, 100), op("B", 10, 10), op("C", 100, 100)])).toMatchObject({ wallMs: 0.2, idle: 0 });
  });

  it("keeps the eight longest kinds", () => {
    const events = Array.from({ length: 20 }, (_, index) => op(`Op${index}`, index * 100, index + 1));
    expect(summarize(events)!.ops.map((each) => each.op)).toEqual(
      [19, 18, 17, 16, 15, 14, 13, 12].map((n) => `Op${n}`),
    );
  });

  it("has nothing to say of no op", () => {
    expect(summarize([])).toBeUndefined();
  });
});

it.each([
  ["_MklFusedConv2D", "FusedConv2D"],
  ["_MklNativeConv2D", "Conv2D"],
  ["_FusedConv2D", "FusedConv2D"],
  ["Relu", "Relu"],
])("%s is printed as %s", (name, printed) => {
  expect(formatProfile({ wallMs: 1, idle: 0, ops: [{ op: name, count: 1, ms: 1, share: 0.5 }] })).toBe(
    `${printed} 50 %`,
  );
});

it("the mean counts a kind that a run does not have as none", () => {
  const one = summarize([op("A", 0, 100)])!;
  const other = summarize([op("B", 0, 50), op("A", 50, 50)])!;
  expect(formatProfile(meanProfile([one, other]))).toBe("A 75 %, B 25 %");
});
