import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantile, spread } from "../src/results/statistics.ts";

describe("quantile", () => {
  it.each([
    [[3], 0.5, 3],
    [[1, 2], 0.5, 1.5],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[1, 2, 3, 4, 5], 0.1, 1.4],
    [[1, 2, 3, 4, 5], 0.9, 4.6],
    [[5, 5, 5], 0.9, 5],
  ])("of %j at %d is %d", (samples, q, expected) => {
    expect(quantile(samples, q)).toBeCloseTo(expected, 12);
  });

  it("refuses no samples", () => {
    expect(() => quantile([], 0.5)).toThrow("A quantile needs at least one sample, none came.");
  });

  it("leaves its samples as they are", () => {
    const samples = [3, 1, 2];
    spread(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  it("p10, median and p90 come in order, within the samples", () => {
    const numbers = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, (samples) => {
        const { p10, median, p90 } = spread(samples);
        expect(Math.min(...samples)).toBeLessThanOrEqual(p10);
        expect(p10).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(p90);
        expect(p90).toBeLessThanOrEqual(Math.max(...samples));
      }),
    );
  });
});
