import type { Padding } from "@convkit/core";
import { size, text, whole } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";

/** The options of a window that slides over an image. */
export const windowOptions = {
  input: size("image size (default: 5x5x1)"),
  kernel: whole(1, "<n>", "height and width of the window (default: 3)"),
  padding: text("<padding>", "valid (the default), same, or pixels on each side"),
};

/** The example of a command without options: a window of 3x3 over a small map. */
export const usualWindow = { input: [5, 5, 1], kernel: 3 } as const;

/** Reads `--padding`: same, valid, 1, or 1x2. */
export function paddingOf(padding = "valid"): Padding {
  if (padding === "same" || padding === "valid") return padding;
  const sides = padding.split("x").map(Number);
  if (sides.some((side) => !Number.isInteger(side) || side < 0) || sides.length > 2)
    throw new UsageError(`--padding must be same, valid, a number, or as 1x2, not "${padding}".`);
  return sides.length === 1 ? sides[0]! : [sides[0]!, sides[1]!];
}
