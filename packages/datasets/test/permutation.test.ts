import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { permutation } from "../src/random/permutation.ts";

describe("permutation", () => {
  it("holds each index once", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), fc.nat(100), (size, seed, epoch) => {
        const order = permutation(size, seed, epoch);
        expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, index) => index));
      }),
      { numRuns: 50 },
    );
  });

  it("is the same for the same seed and epoch, and another for another", () => {
    const [first, again, epoch, seed] = [
      permutation(50, 7, 1),
      permutation(50, 7, 1),
      permutation(50, 7, 2),
      permutation(50, 8, 1),
    ];
    expect(first).toEqual(again);
    expect(first).not.toEqual(epoch);
    expect(first).not.toEqual(seed);
  });

  it("tells seeds apart above 32 bits", () => {
    expect(permutation(50, 2 ** 40)).not.toEqual(permutation(50, 0));
  });
});
