import type { Block } from "./block.ts";
import { nameCounter } from "./names.ts";

/** Names a block with the next free name of a kind: `conv2d`, `conv2d_1`, `conv2d_2` …. */
export type AutoName = (kind: string, block: Block) => Block;

/**
 * A network with some layer names that Keras generates by counting; the count restarts with every network. Numbers
 * follow the order in which blocks are applied: branches in the order of their keys.
 */
export function autoNamed(make: (auto: AutoName) => Block): Block {
  return (x, name) => {
    const next = nameCounter();
    const auto: AutoName = (kind, block) => (y) => block(y, next(kind));
    return make(auto)(x, name);
  };
}
