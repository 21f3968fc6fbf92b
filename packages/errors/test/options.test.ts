import { expect, test } from "vitest";
import { ConvkitError, OptionError, checkOptions, isConvkitError, nearest, shown } from "../src/index.ts";

interface Pool {
  readonly strides?: number | undefined;
  readonly padding?: string | undefined;
}
const names = { strides: true, padding: true } as const;

test("known options pass, none at all too", () => {
  expect(() => checkOptions<Pool>("maxPool", { strides: 2 }, names)).not.toThrow();
  expect(() => checkOptions<Pool>("maxPool", undefined, names)).not.toThrow();
});

test.each([
  [{ stride: 2 }, 'maxPool: expected the options strides, padding, got "stride". Did you mean "strides"?'],
  [{ kernel: 2 }, 'maxPool: expected the options strides, padding, got "kernel".'],
  [
    { paddign: "same", x: 1 },
    'maxPool: expected the options strides, padding, got "paddign", "x". Did you mean "padding"?',
  ],
  [3, "maxPool: expected an object of options (strides, padding), got 3."],
  [[2], "maxPool: expected an object of options (strides, padding), got [2]."],
  [null, "maxPool: expected an object of options (strides, padding), got null."],
  [{ constructor: 1 }, 'maxPool: expected the options strides, padding, got "constructor".'],
])("%j is refused", (options, message) => {
  expect(() => checkOptions("maxPool", options as Pool, names)).toThrow(new OptionError(message));
});

test("an error of the caller's own kind is thrown where one is given", () => {
  class Own extends ConvkitError {
    readonly code = "CONVKIT_OWN";
  }
  const check = () => checkOptions<object>("f", { a: 1 }, {}, (message) => new Own(message));
  expect(check).toThrow(Own);
  try {
    check();
  } catch (error) {
    expect(isConvkitError(error)).toBe(true);
  }
  expect(isConvkitError(new Error("no code"))).toBe(false);
});

test.each([
  ["batchSize", ["batch", "epochs"], "batch"],
  ["optimiser", ["optimizer", "data"], "optimizer"],
  ["Padding", ["padding"], "padding"],
  ["lr", ["data", "epochs"], undefined],
])("nearest to %s is %3$s", (word, known, expected) => {
  expect(nearest(word, known)).toBe(expected);
});

test.each([
  ["a", '"a"'],
  [Number.NaN, '"NaN"'],
  [undefined, "undefined"],
  [10n, "10"],
  ["x".repeat(100), `"${"x".repeat(78)}…`],
])("shown %s", (value, text) => {
  expect(shown(value)).toBe(text);
});
