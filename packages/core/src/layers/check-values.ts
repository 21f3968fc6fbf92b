import { OptionError, shown } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { registerHardActivations } from "./hard-activations.ts";

/** Throws an `OptionError` unless `value` is an integer of at least `from`. */
export function checkWhole(where: string, what: string, value: unknown, from: 0 | 1): void {
  if (!Number.isInteger(value) || (value as number) < from)
    throw new OptionError(`${where}: expected ${what} to be a whole number from ${from} on, got ${shown(value)}.`);
}

/** Throws an `OptionError` unless `value` is a finite number, and at least `from` where it is given. */
export function checkNumber(where: string, what: string, value: unknown, from = -Infinity): void {
  if (typeof value === "number" && Number.isFinite(value) && value >= from) return;
  const bound = from === -Infinity ? "a finite number" : `a finite number from ${from} on`;
  throw new OptionError(`${where}: expected ${what} to be ${bound}, got ${shown(value)}.`);
}

/** Throws an `OptionError` unless `value` is a number from 0 to 1. */
export function checkShare(where: string, what: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0 && value <= 1))
    throw new OptionError(`${where}: expected ${what} to be a number from 0 to 1, got ${shown(value)}.`);
}

/** Throws an `OptionError` for a flag that is neither true nor false; undefined means its default. */
export function checkFlags(where: string, flags: Readonly<Record<string, unknown>>): void {
  for (const [what, value] of Object.entries(flags))
    if (value !== undefined && typeof value !== "boolean")
      throw new OptionError(`${where}: expected ${what} to be true or false, got ${shown(value)}.`);
}

/** Throws an `OptionError` for what should be a block or another function; undefined means its default. */
export function checkFunctions(where: string, functions: Readonly<Record<string, unknown>>): void {
  for (const [what, value] of Object.entries(functions))
    if (value !== undefined && typeof value !== "function")
      throw new OptionError(`${where}: expected ${what} to be a function, got ${shown(value)}.`);
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
