import { OptionError, checkOptions, shown } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { droppedPath } from "./random-depth.ts";
import { kindOf, markKind, nameCounter, nextName, ofKind } from "./names.ts";
import type { Block, UnnamedBlock } from "./names.ts";

import type { Added, Chained, Concatenated, ShapedBlock, Unchanged } from "../typed/shape-change.ts";

export type { Block } from "./names.ts";

/**
 * Blocks with keys, which name their layers, or a list of blocks, which are named by their kinds in order: `conv2d`, `conv2d_1`,
 * `inception` ….
 */
export type Blocks = Readonly<Record<string, Block>> | readonly Block[];

export interface JoinOptions {
  /** The text between a path and a key: `"."` by default; Keras' own networks use `"_"`. */
  readonly join?: string | undefined;
}

export interface StageOptions {
  /** The path of block `i` (from 0), given the stage's path; `<path>.b<i>` by default. */
  readonly name?: ((path: string, i: number) => string) | undefined;
}

/**
 * Blocks one after another: `chain({ conv1: conv(…), pool1: maxPool(…) })`, named by their keys, or `chain([conv(…), maxPool(…)])`,
 * named by their kinds.
 *
 * Throws an `OptionError` where a key is a plain integer, since JavaScript would move it to the front.
 */
export function chain<const Each extends readonly Block[]>(
  blocks: Each,
  options?: JoinOptions,
): ShapedBlock<Chained<Each>>;
export function chain(blocks: Blocks, options?: JoinOptions): UnnamedBlock;
export function chain(blocks: Blocks, options: JoinOptions = {}): UnnamedBlock {
  const rows = checkedEntries("chain", blocks, options);
  const { join = "." } = options;
  return (x, name = "") => {
    const pathOf = paths(name, join);
    return rows.reduce((y, row) => applied(row, y, pathOf(row)), x);
  };
}

/**
 * `count` blocks one after another: `stage(3, (i) => basicBlock(64, { padding: 1, stride: i === 0 ? 2 : 1 }))`. `make` gets the
 * block's number, from 0.
 */
export function stage(count: number, make: (i: number) => Block, options: StageOptions = {}): Block {
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`stage: expected a whole number of blocks from 1 on, got ${shown(count)}.`);
  }
  checkOptions("stage", options, { name: true });
  if (typeof make !== "function") {
    throw new OptionError(`stage: expected a function that makes a block, got ${shown(make)}.`);
  }
  const { name: nameOf = (at, i) => path(at, `b${i}`, ".") } = options;
  const blocks = Array.from({ length: count }, (_, i) => make(i));
  return (x, name) => blocks.reduce((y, block, i) => block(y, nameOf(name, i)), x);
}

/**
 * Applies every block to the same input and concatenates the results: `[n, h, w, a], [n, h, w, b] -> [n, h, w, a + b]`.
 */
export function concat<const Each extends readonly Block[]>(
  blocks: Each,
  options?: JoinOptions,
): ShapedBlock<Concatenated<Each>>;
export function concat(blocks: Blocks, options?: JoinOptions): UnnamedBlock;
export function concat(blocks: Blocks, options: JoinOptions = {}): UnnamedBlock {
  return merge("concat", blocks, options, (name) => tfjs.concatenate({ name, axis: -1 }));
}

/**
 * Applies every block to the same input and sums the results. Throws an `OptionError` with all shapes if they differ.
 */
export function add<const Each extends readonly Block[]>(blocks: Each, options?: JoinOptions): ShapedBlock<Added<Each>>;
export function add(blocks: Blocks, options?: JoinOptions): UnnamedBlock;
export function add(blocks: Blocks, options: JoinOptions = {}): UnnamedBlock {
  return merge("add", blocks, options, (name) => tfjs.add({ name }));
}

/** Applies every block to the same input and multiplies the results element by element; sizes of 1 are broadcast. */
export function multiply(blocks: Blocks, options: JoinOptions = {}): UnnamedBlock {
  return merge("multiply", blocks, options, (name) => tfjs.multiply({ name }));
}

/** Returns its input: the plain shortcut of a residual block. */
export const identity: ShapedBlock<Unchanged> & Block = (x) => x;

/** Gives a block a fixed name instead of its path, for networks with the layer names of another framework. */
export function named(name: string, block: Block): Block {
  if (typeof name !== "string" || typeof block !== "function") {
    throw new OptionError(`named: expected a name and a block, got ${shown(name)} and ${shown(block)}.`);
  }
  return (x) => block(x, name);
}

/**
 * One layer as a block, including user-defined layers; `make` gets its name and its input. `kind` names it where it has no
 * name of its own.
 */
export function layer(make: (name: string, x: tfl.SymbolicTensor) => tfl.layers.Layer, kind = "layer"): UnnamedBlock {
  return ofKind(kind, (x, name) => make(name, x).apply(x) as tfl.SymbolicTensor);
}

/** `[h, w, c]` of a feature map; null for unknown sizes. */
export function sizeOf(x: tfl.SymbolicTensor): readonly (number | null)[] {
  return x.shape.slice(1);
}

function merge(
  kind: string,
  blocks: Blocks,
  options: JoinOptions,
  make: (name: string) => tfl.layers.Layer,
): UnnamedBlock {
  const rows = checkedEntries(kind, blocks, options);
  const { join = "." } = options;
  return markKind(kind, (x, name = "") => {
    const pathOf = paths(name, join);
    const made = rows.map((row) => {
      const at = pathOf(row);
      return [at, applied(row, x, at)] as const;
    });
    const layer = make(name === "" ? (Array.isArray(blocks) ? nextName(kind) : kind) : name);
    const results = made.map(([at, y], place) =>
      kind === "add" && rows[place]![0] === "main" ? ([at, droppedPath(y, layer.name)] as const) : ([at, y] as const),
    );
    try {
      return layer.apply(results.map(([, y]) => y)) as tfl.SymbolicTensor;
    } catch (error) {
      const shapes = results.map(([at, y]) => `${at} gives ${y.shape.slice(1).join("x")}`).join(", ");
      throw new OptionError(`${layer.name}: expected branches of ${kind} that fit together, but ${shapes}.`, {
        cause: error,
      });
    }
  });
}

function path(name: string, key: string, join: string): string {
  return name === "" ? key : `${name}${join}${key}`;
}

/** The paths of the blocks that stand under `name`: by their keys, and by their kinds where they have none. */
function paths(name: string, join: string): (row: Row) => string {
  const next = name === "" ? nextName : nameCounter();
  return ([key, block]) => path(name, key ?? next(kindOf(block)), join);
}

/** A block and its key; undefined in a list. */
type Row = readonly [key: string | undefined, block: Block];

/** The result of a block; a function that is no block, such as `flatten` for `flatten()`, is named. */
function applied([key, block]: Row, x: tfl.SymbolicTensor, at: string): tfl.SymbolicTensor {
  const y: unknown = block(x, at);
  if (y instanceof tfjs.SymbolicTensor) return y;
  const called = block.name === "" || block.name === key ? "the function" : block.name;
  throw new OptionError(
    `${at}: expected a block, which gives the output of its layers, but ${called} gives ${shown(y)}; write ${called === "the function" ? "a call such as flatten()" : `${block.name}()`} for a layer.`,
  );
}

function checkedEntries(kind: string, blocks: Blocks, options: JoinOptions): Row[] {
  if (typeof blocks === "function" || typeof options === "function") {
    throw new OptionError(
      `${kind}: expected its blocks in a list, ${kind}([conv(…), maxPool(…)]), got them one by one.`,
    );
  }
  checkOptions(kind, options, { join: true });
  if (typeof blocks !== "object" || blocks === null) {
    throw new OptionError(`${kind}: expected blocks in a list or an object, got ${shown(blocks)}.`);
  }
  const isList = Array.isArray(blocks);
  const rows = Object.entries(blocks as Readonly<Record<string, Block>>);
  const integer = isList ? undefined : rows.find(([key]) => /^(0|[1-9]\d*)$/.test(key));
  if (integer !== undefined) {
    throw new OptionError(
      `${kind}: the key "${integer[0]}" is a plain integer, which JavaScript moves to the front; call it "b${integer[0]}".`,
    );
  }
  const other = rows.find(([, block]) => typeof block !== "function");
  if (other !== undefined) {
    throw new OptionError(`${kind}: expected "${other[0]}" to be a block, got ${shown(other[1])}.`);
  }
  if (rows.length === 0) throw new OptionError(`${kind}: expected at least one block, got none.`);
  return isList ? rows.map(([, block]) => [undefined, block]) : rows;
}
