import { outputSize } from "@convkit/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { padsOf, stockPadding } from "../src/arithmetic/padding.ts";

/** Counts the window's positions one by one. */
function countPositions(size: number, kernel: number, stride: number, before: number, after: number): number {
  let count = 0;
  for (let start = -before; start + kernel <= size + after; start += stride) count += 1;
  return count;
}

describe("outputSize", () => {
  it.each([
    ["LeNet's first, valid", 28, { kernel: 5, padding: "valid" }, [24, 24]],
    ["same at stride 2 rounds up", 15, { kernel: 3, stride: 2, padding: "same" }, [8, 8]],
    ["ResNet's stem", 224, { kernel: 7, stride: 2, padding: 3 }, [112, 112]],
    ["GoogLeNet's pool, rounded up", 112, { kernel: 3, stride: 2, padding: "valid", ceil: true }, [56, 56]],
    ["dilation", 10, { kernel: 3, dilation: 3, padding: "valid" }, [4, 4]],
    ["a rectangle", [10, 20], { kernel: [1, 7], padding: [0, 3] }, [10, 20]],
  ] as const)("%s", (_, input, window, expected) => {
    expect(outputSize(input, window).size).toEqual(expected);
  });

  it("warns where (H + 2P - F) / S is not whole", () => {
    expect(outputSize(7, { kernel: 3, stride: 2, padding: "valid" })).toEqual({ size: [3, 3], whole: true });
    expect(outputSize([8, 7], { kernel: 3, stride: 2, padding: "valid" }).warning).toBe(
      "(8 - 3) / 2 is not whole: 1 row at the bottom is never seen; change the padding or the stride to use all of the input",
    );
    expect(outputSize(8, { kernel: 3, stride: 2, padding: "valid", ceil: true }).warning).toContain("hangs over");
  });

  it("agrees with counting positions, for any window", () => {
    fc.assert(
      fc.property(
        fc.record({
          size: fc.integer({ min: 1, max: 40 }),
          kernel: fc.integer({ min: 1, max: 9 }),
          stride: fc.integer({ min: 1, max: 5 }),
          pad: fc.integer({ min: 0, max: 4 }),
        }),
        ({ size, kernel, stride, pad }) => {
          fc.pre(size + 2 * pad >= kernel);
          const expected = countPositions(size, kernel, stride, pad, pad);
          expect(outputSize(size, { kernel, stride, padding: pad }).size).toEqual([expected, expected]);
        },
      ),
    );
  });

  it("gives same padding that makes ceil(size / stride)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 4 }),
        (size, kernel, stride) => {
          const [[before, after]] = padsOf("same", [size, size], [kernel, kernel], [stride, stride]);
          expect(countPositions(size, kernel, stride, before, after)).toBe(Math.ceil(size / stride));
          expect(after - before === 0 || after - before === 1).toBe(true);
        },
      ),
    );
  });
});

describe("stockPadding", () => {
  it.each([
    [1, 3, 1, "same"],
    [2, 5, 1, "same"],
    [0, 5, 3, "valid"],
    [1, 3, 2, undefined],
    [1, 5, 1, undefined],
  ] as const)("of %i around a %ix%i window at stride %i", (padding, kernel, stride, expected) => {
    expect(stockPadding(padding, [kernel, kernel], [stride, stride])).toBe(expected);
  });
});
