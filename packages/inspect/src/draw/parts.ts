import type { Box } from "./boxes.ts";

/** Boxes that are drawn together: a nested model, or layers whose names begin alike. */
export interface Block {
  readonly title: string;
  /** The titles of the equal blocks in a row that it stands for, itself first. */
  readonly repeats: readonly string[];
  readonly parts: readonly Part[];
}

/** A box or a block. Lists of parts are in the order of computation. */
export type Part = Box | Block;

export function isBlock(part: Part): part is Block {
  return "parts" in part;
}

export function boxesOf(part: Part): readonly Box[] {
  return isBlock(part) ? part.parts.flatMap(boxesOf) : [part];
}
