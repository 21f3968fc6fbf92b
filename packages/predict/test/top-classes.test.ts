import * as fc from "fast-check";
import { expect, test } from "vitest";
import { topClasses } from "../src/index.ts";

const scores = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });

test("the highest scores come first, and of equal ones the lower class", () => {
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 8 }), (values, k) => {
      const want = values
        .map((value, index) => ({ value, index }))
        .toSorted((p, q) => q.value - p.value || p.index - q.index)
        .slice(0, k)
        .map(({ index }) => index);
      expect(topClasses(values, k)).toEqual(want);
    }),
  );
});
