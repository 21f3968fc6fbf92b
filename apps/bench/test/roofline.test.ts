import { expect, it } from "vitest";
import { rooflineRow } from "../src/commands/roofline.ts";
import { row } from "./rows.ts";

const peaks = { float32: 200, bfloat16: 1000 };

it.each([
  ["convkit", 0.5],
  ["convkit-bf16", 0.1],
] as const)("2 GFLOP in 20 ms are %s's %d of its precision's peak", (system, share) => {
  expect(rooflineRow(row("train/lenet5-b32", system, 20), 2, peaks)).toMatchObject([{ gflops: 100, share }]);
});

it("a row without a number has no share", () => {
  expect(rooflineRow(row("train/lenet5-b32", "convkit", null), 2, peaks)).toEqual([]);
});
