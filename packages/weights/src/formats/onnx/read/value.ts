import type { Constant } from "./constant.ts";
import type { Signal } from "./signal.ts";
import { isKnownSize } from "./sizes.ts";
import type { Size } from "./sizes.ts";

/** Whole numbers of which some are known only when the model runs: a shape, or one size of it. */
export interface Sizes {
  readonly kind: "sizes";
  readonly isScalar: boolean;
  readonly items: readonly Size[];
}

export type Value = Signal | Constant | Sizes;

export function isValue(value: unknown): value is Value {
  if (typeof value !== "object" || value === null) return false;
  const { kind } = value as { kind?: unknown };
  return kind === "signal" || kind === "constant" || kind === "sizes";
}

/** A size as tfjs has it: null if it is known only when the model runs. */
export function runSize(size: Size): number | null {
  return isKnownSize(size) ? size : null;
}
