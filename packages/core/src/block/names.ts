import type * as tfl from "@tensorflow/tfjs-layers";

/** A part of a network: takes a symbolic tensor and the path that names its layers, returns the symbolic result. */
export type Block = (x: tfl.SymbolicTensor, name: string) => tfl.SymbolicTensor;

/** A block that may also go without a name: it then gets the next free one, as in Keras: `conv2d`, `conv2d_1` …. */
export type UnnamedBlock = (x: tfl.SymbolicTensor, name?: string) => tfl.SymbolicTensor;

/** Gives names of a kind in order: `conv2d`, `conv2d_1`, `conv2d_2` …. */
export type NameCounter = (kind: string) => string;

export function nameCounter(): NameCounter {
  const counts = new Map<string, number>();
  return (kind) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return count === 0 ? kind : `${kind}_${count}`;
  };
}

const kinds = new WeakMap<Block, string>();

/** The counter of the network that is being built; outside of `network` one for the whole process, as in Keras. */
let current = nameCounter();

/** Runs `make`; layers without a name are counted from the start. */
export function withNewNames<T>(make: () => T): T {
  const before = current;
  current = nameCounter();
  try {
    return make();
  } finally {
    current = before;
  }
}

/** The next free name of a kind in the network that is being built. */
export function nextName(kind: string): string {
  return current(kind);
}

/** Says how a block is called where it has no name of its own: `conv2d`, `inception`. */
export function ofKind(kind: string, block: Block): UnnamedBlock {
  return markKind(kind, (x, name = "") => block(x, name === "" ? nextName(kind) : name));
}

/** Says the kind of a block that names its layers itself. */
export function markKind<Made extends Block>(kind: string, block: Made): Made {
  kinds.set(block, kind);
  return block;
}

/** The kind of a block; `"block"` for a function that does not say it. */
export function kindOf(block: Block): string {
  return kinds.get(block) ?? "block";
}
