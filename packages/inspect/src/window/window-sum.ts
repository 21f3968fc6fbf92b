import type { Pair } from "@convkit/core";
import type { DrawnWindow } from "./read-window.ts";
import { windowTaps } from "./window-arithmetic.ts";

/** The position's sum in numbers, as far as it is short, or the place alone. */
export function sumText(position: Pair, { sizes, grids, operation, input, kernel, output }: DrawnWindow): string {
  const place = `row ${position[0]}, column ${position[1]}`;
  if (input === undefined || output === undefined || sizes.transposed) return place;
  const terms = windowTaps(position, sizes).flatMap(({ cell: [row, column], tap }) => {
    const value = input[row - grids.pads[0][0]]?.[column - grids.pads[1][0]];
    if (value === undefined) return [];
    return operation === "convolution" && kernel !== undefined
      ? [`${numberText(value)}·${numberText(kernel[tap[0]]?.[tap[1]])}`]
      : [numberText(value)];
  });
  const result = numberText(output[position[0]]?.[position[1]]);
  if (operation === "max") return `${place}: max(${terms.join(", ")}) = ${result}`;
  if (operation === "average") return `${place}: (${terms.join(" + ")}) / ${terms.length} = ${result}`;
  return `${place}: ${terms.join(" + ")} = ${result}`;
}

/** At most two places behind the point. */
export function numberText(value: number | undefined): string {
  return value === undefined ? "" : String(Math.round(value * 100) / 100);
}
