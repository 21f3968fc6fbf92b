import { activation } from "@convkit/core";
import type { Block } from "@convkit/core";
import { eights } from "../shared/eights.ts";

export const paper =
  "Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, https://arxiv.org/abs/1905.11946";

/** The paper's table 1 for B0: kernel, number of blocks, filters, expansion, stride of the first block. */
const table = [
  [3, 1, 16, 1, 1], //    112 x 112
  [3, 2, 24, 6, 2], //     56 x 56
  [5, 2, 40, 6, 2], //     28 x 28
  [3, 3, 80, 6, 2], //     14 x 14
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2], //     7 x 7
  [3, 1, 320, 6, 1],
] as const;

/** A row of a network: one block. */
export interface BlockRow {
  /** The row of the paper's table, from 1. */
  readonly stage: number;
  /** The block's number in its stage, from 0. */
  readonly index: number;
  readonly kernel: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

/** The blocks of a network with these factors on the width and the depth of B0. */
export function blockRows(width: number, depth: number): BlockRow[] {
  return table.flatMap(([kernel, blocks, filters, expansion, stride], row) =>
    Array.from({ length: Math.ceil(depth * blocks) }, (_, index): BlockRow => ({
      stage: row + 1,
      index,
      kernel,
      expansion,
      filters: scaledFilters(filters, width),
      stride: index === 0 ? stride : 1,
    })),
  );
}

/** Filters of a network with this factor on the width of B0. */
export function scaledFilters(filters: number, width: number): number {
  return eights(filters * width);
}

/** Probability that training skips block `i` of `count`: it grows from 0 to 0.2. */
export function skipChance(i: number, count: number): number {
  return (0.2 * i) / count;
}

export function swish(): Block {
  return activation("swish");
}
