import { OptionError, shown } from "@convkit/errors";
import { outputShape } from "../arithmetic/output-size.ts";
import type { Window } from "../arithmetic/output-size.ts";
import { explicitPads } from "../arithmetic/padding.ts";
import { checkWhole } from "./check-values.ts";

/** Throws an `OptionError` unless `value` is an integer of at least 1. */
export function checkCount(where: string, what: string, value: unknown): void {
  checkWhole(where, what, value, 1);
}

/** Throws an `OptionError` unless `rate` is at least 0 and below 1. */
export function checkRate(where: string, what: string, rate: unknown): void {
  if (typeof rate !== "number" || !(rate >= 0 && rate < 1)) {
    throw new OptionError(`${where}: expected ${what} from 0 to below 1, got ${shown(rate)}.`);
  }
}

/** Throws an `OptionError` for a window that no input could fit. Padding has no default, so it must be given. */
export function checkWindow(where: string, { kernel, stride = 1, padding, dilation = 1 }: Partial<Window>): void {
  for (const [what, value] of Object.entries({ size: kernel, stride, dilation })) {
    const lengths = Array.isArray(value) && value.length === 2 ? value : [value];
    if (!lengths.every((length) => Number.isInteger(length) && length > 0)) {
      throw new OptionError(
        `${where}: expected ${what} as a whole number from 1 on or as [height, width], got ${shown(value)}.`,
      );
    }
  }
  if (padding === "same" || padding === "valid") return;
  if (typeof padding !== "number" && !Array.isArray(padding)) {
    throw new OptionError(
      `${where}: expected padding "same", "valid" or numbers, got ${shown(padding)}; ` +
        `TensorFlow and PyTorch pad differently, so there is no default.`,
    );
  }
  explicitPads(padding as number);
}

/** Throws an `OptionError` that names the layer if a window does not fit into its input. */
export function checkFit(name: string, size: readonly (number | null)[], window: Window): void {
  if (size.length !== 3) {
    throw new OptionError(`${name}: expected a feature map [h, w, c], got ${shown(size)}.`);
  }
  try {
    outputShape(size, window);
  } catch (error) {
    throw new OptionError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
