import * as tfl from "@tensorflow/tfjs-layers";

/** A piece of a network: takes a symbolic tensor and the path that names its layers, returns the symbolic result. */
export type Block = (x: tfl.SymbolicTensor, name: string) => tfl.SymbolicTensor;

export interface JoinOptions {
  /** What stands between a path and a key: `"."` by default; Keras' own networks use `"_"`. */
  join?: string;
}

/**
 * Blocks one after another; the keys name them: `chain({ conv1: conv(…), pool1: maxPool(…) })`.
 *
 * Throws where a key is a plain integer, since JavaScript would move it to the front.
 */
export function chain(blocks: Readonly<Record<string, Block>>, { join = "." }: JoinOptions = {}): Block {
  const rows = checkedEntries("chain", blocks);
  return (x, name) => rows.reduce((y, [key, block]) => block(y, path(name, key, join)), x);
}

/** Every block on the same input, results side by side: `[n, h, w, a], [n, h, w, b] -> [n, h, w, a + b]`. */
export function concat(blocks: Readonly<Record<string, Block>>, options: JoinOptions = {}): Block {
  return merge("concat", blocks, options, (name) => tfl.layers.concatenate({ name, axis: -1 }));
}

/** Every block on the same input, results summed: all must have one shape (`Error` otherwise, naming each). */
export function add(blocks: Readonly<Record<string, Block>>, options: JoinOptions = {}): Block {
  return merge("add", blocks, options, (name) => tfl.layers.add({ name }));
}

/** Every block on the same input, results multiplied element by element; sizes of 1 are stretched. */
export function multiply(blocks: Readonly<Record<string, Block>>, options: JoinOptions = {}): Block {
  return merge("multiply", blocks, options, (name) => tfl.layers.multiply({ name }));
}

/** Hands its input on: the plain shortcut of a residual block. */
export const identity: Block = (x) => x;

/** The block under a name of its own instead of its path, for networks whose layer names are given by a peer. */
export function named(name: string, block: Block): Block {
  return (x) => block(x, name);
}

/** One layer as a block; `make` gets the layer's name. The way to put a layer of one's own into a network. */
export function layer(make: (name: string, x: tfl.SymbolicTensor) => tfl.layers.Layer): Block {
  return (x, name) => make(name, x).apply(x) as tfl.SymbolicTensor;
}

/** `[h, w, c]` of a feature map (any of them null where the size is free). */
export function sizeOf(x: tfl.SymbolicTensor): readonly (number | null)[] {
  return x.shape.slice(1);
}

function merge(
  kind: string,
  blocks: Readonly<Record<string, Block>>,
  { join = "." }: JoinOptions,
  make: (name: string) => tfl.layers.Layer,
): Block {
  const rows = checkedEntries(kind, blocks);
  return (x, name) => {
    const results = rows.map(([key, block]) => [path(name, key, join), block(x, path(name, key, join))] as const);
    const layer = make(name === "" ? kind : name);
    try {
      return layer.apply(results.map(([, y]) => y)) as tfl.SymbolicTensor;
    } catch (error) {
      const shapes = results.map(([at, y]) => `${at} gives ${y.shape.slice(1).join("x")}`).join(", ");
      throw new Error(`${layer.name}: the branches of ${kind} do not fit together: ${shapes}`, { cause: error });
    }
  };
}

function path(name: string, key: string, join: string): string {
  return name === "" ? key : `${name}${join}${key}`;
}

function checkedEntries(kind: string, blocks: Readonly<Record<string, Block>>): [string, Block][] {
  const rows = Object.entries(blocks);
  const integer = rows.find(([key]) => /^(0|[1-9]\d*)$/.test(key));
  if (integer !== undefined) {
    throw new Error(
      `${kind}: the key "${integer[0]}" is a plain integer, which JavaScript moves to the front; call it "b${integer[0]}"`,
    );
  }
  if (rows.length === 0) throw new Error(`${kind}: expected at least one block, got none`);
  return rows;
}
