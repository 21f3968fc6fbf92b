import { expect, test } from "vitest";
import {
  checkValue,
  checkValues,
  finite,
  fromZero,
  OptionError,
  someFunction,
  type ValueRule,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "../src/index.ts";

const rules: readonly [string, ValueRule, string, readonly unknown[], readonly unknown[]][] = [
  ["finite", finite, "a finite number", [-1.5, 0, Number.MAX_VALUE], [NaN, Infinity, -Infinity, "1", null, undefined]],
  ["fromZero", fromZero, "a number from 0", [0, 1.5], [-1e-9, NaN, Infinity, "0"]],
  ["zeroToOne", zeroToOne, "a number from 0 to 1", [0, 0.5, 1], [-1e-9, 1 + 1e-9, NaN, "0.5"]],
  ["wholeFromZero", wholeFromZero, "a whole number from 0", [0, 7], [-1, 0.5, 2 ** 53, "7", [7]]],
  ["wholeFromOne", wholeFromOne, "a whole number from 1", [1, 7], [0, -1, 1.5, NaN, undefined]],
  ["someFunction", someFunction, "a function", [() => 1, Math.abs], [null, {}, "abs"]],
];

test.each(rules)("%s takes what it says and nothing else", (_, rule, expected, right, wrong) => {
  for (const value of right) expect(() => checkValue("conv", "size", value, rule), String(value)).not.toThrow();
  for (const value of wrong) {
    const check = () => checkValue("conv", "size", value, rule);
    expect(check, String(value)).toThrow(OptionError);
    expect(check, String(value)).toThrow(`conv: expected size to be ${expected}, got `);
  }
});

test("undefined is the default of an option, but not a value", () => {
  expect(() => checkValues<{ size?: number }>("conv", {}, { size: wholeFromOne })).not.toThrow();
  expect(() => checkValue("conv", "size", undefined, wholeFromOne)).toThrow("got undefined.");
});

test("the sentence is an error of the caller's own kind", () => {
  class PoolError extends Error {}
  const failure = (message: string) => new PoolError(message);
  expect(() => checkValue("pool", "size", 0, wholeFromOne, failure)).toThrow(PoolError);
  expect(() => checkValues("pool", { size: 0 }, { size: wholeFromOne }, failure)).toThrow(PoolError);
});
