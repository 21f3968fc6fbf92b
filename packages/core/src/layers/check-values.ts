import {
  checkValue,
  finite,
  fromZero,
  OptionError,
  shown,
  someFunction,
  trueOrFalse,
  type ValueRule,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { registerHardActivations } from "./hard-activations.ts";

/** Throws an `OptionError` unless `value` is an integer of at least `from`. */
export function checkWhole(where: string, what: string, value: unknown, from: 0 | 1): void {
  checkValue(where, what, value, from === 0 ? wholeFromZero : wholeFromOne);
}

/** Throws an `OptionError` unless `value` is a finite number, and at least 0 where `from` is 0. */
export function checkNumber(where: string, what: string, value: unknown, from?: 0): void {
  checkValue(where, what, value, from === 0 ? fromZero : finite);
}

/** Throws an `OptionError` unless `value` is a number from 0 to 1. */
export function checkShare(where: string, what: string, value: unknown): void {
  checkValue(where, what, value, zeroToOne);
}

/** Throws an `OptionError` for a flag that is neither true nor false; undefined means its default. */
export function checkFlags(where: string, flags: Readonly<Record<string, unknown>>): void {
  checkEach(where, flags, trueOrFalse);
}

/** Throws an `OptionError` for what should be a block or another function; undefined means its default. */
export function checkFunctions(where: string, functions: Readonly<Record<string, unknown>>): void {
  checkEach(where, functions, someFunction);
}

function checkEach(where: string, values: Readonly<Record<string, unknown>>, rule: ValueRule): void {
  for (const [what, value] of Object.entries(values)) if (value !== undefined) checkValue(where, what, value, rule);
}

/** Throws an `OptionError` unless tfjs-layers has an activation of that name. */
export function checkActivation(where: string, name: unknown): void {
  registerHardActivations();
  try {
    if (typeof name !== "string") throw new TypeError("no text");
    tfjs.activation({ name: "check", activation: name as "relu" });
  } catch (error) {
    throw new OptionError(`${where}: expected the name of an activation such as "relu", got ${shown(name)}.`, {
      cause: error,
    });
  }
}

/** Throws an `OptionError` unless `x` is a batch of feature maps. */
export function checkMap(name: string, x: tfl.SymbolicTensor): void {
  if (x.shape.length !== 4)
    throw new OptionError(`${name}: expected a feature map [h, w, c], got ${shown(x.shape.slice(1))}.`);
}
