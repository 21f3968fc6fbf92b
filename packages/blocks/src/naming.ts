import { named } from "@convkit/core";
import type { Block } from "@convkit/core";

/** Names a part of a block as another framework does: `keras("conv2_block1", "conv1") = "conv2_block1_1_conv"`. */
export type Naming<Part extends string> = (name: string, part: Part) => string;

/** The default names: the path, a dot, the part. */
export function dotted(name: string, part: string): string {
  return name === "" ? part : `${name}.${part}`;
}

/** Applies parts one after another, each under its own name. */
export function steps<Part extends string>(
  naming: Naming<Part>,
  rows: readonly (readonly [part: Part, block: Block])[],
): Block {
  return (x, name) => rows.reduce((y, [part, block]) => named(naming(name, part), block)(y, name), x);
}
