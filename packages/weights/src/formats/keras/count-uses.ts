import { WeightsError } from "../../weights-error.ts";
import type { Making } from "./import-layer.ts";

/** The largest published networks have a thousand layers. */
export const usesLimit = 10_000;

/** Counts layers or calls of the whole model; throws above the limit. */
export function countUses(file: string, place: string, options: Making, count: number): void {
  options.left.uses -= count;
  if (options.left.uses < 0)
    throw new WeightsError(file, place, `the model has more than ${usesLimit} layers and calls`);
}
