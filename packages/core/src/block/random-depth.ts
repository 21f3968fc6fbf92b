import type * as tfl from "@tensorflow/tfjs-layers";
import { OptionError } from "@convkit/errors";
import type { Block } from "./names.ts";

/** The layers with random depth that a network gets while it is built. */
export interface RandomDepth {
  /** The largest rate of stochastic depth; undefined for the architecture's own. */
  readonly dropPath: number | undefined;
  /** The rate of DropBlock; undefined for none. */
  readonly dropBlock: number | undefined;
  /** Makes the layers; this file cannot import them. */
  readonly make: {
    path(rate: number): Block;
    block(rate: number, options: { readonly size: number; readonly scale: number }): Block;
  };
}

interface Building extends RandomDepth {
  /** The stochastic depths so far, in order. */
  readonly paths: { rate: number }[];
  blocks: number;
  /** Height and width of the network's input. */
  readonly input: readonly (number | null)[];
}

let building: Building | undefined;

/**
 * Builds a network with random depth. The rates of stochastic depth rise linearly from 0 at the first residual sum to
 * `dropPath` at the last, as timm's `calculate_drop_path_rates`. Throws an OptionError if the network has no place for what is asked for.
 */
export function withRandomDepth<T>(
  name: string,
  depth: RandomDepth,
  input: readonly (number | null)[],
  build: () => T,
): T {
  const before = building;
  const current: Building = { ...depth, paths: [], blocks: 0, input };
  building = current;
  try {
    const made = build();
    const { paths, dropPath, dropBlock } = current;
    if (dropPath !== undefined && paths.length === 0)
      throw new OptionError(
        `${name}: expected no dropPath, since the network has no residual sums; leave dropPath out.`,
      );
    if (dropBlock !== undefined && current.blocks === 0)
      throw new OptionError(
        `${name}: expected no dropBlock, since the network has no residual blocks of ResNet at a 16th or 32nd of its input's size; leave dropBlock out.`,
      );
    for (const [place, path] of paths.entries())
      path.rate = paths.length === 1 ? dropPath! : (dropPath! * place) / (paths.length - 1);
    return made;
  } finally {
    building = before;
  }
}

/** True while a network is built whose stochastic depths are placed by `dropPath`. */
export function placesPaths(): boolean {
  return building?.dropPath !== undefined;
}

/** The main path of a residual sum called `name`, with stochastic depth if the network gets it. */
export function droppedPath(y: tfl.SymbolicTensor, name: string): tfl.SymbolicTensor {
  if (building?.dropPath === undefined) return y;
  const dropped = building.make.path(building.dropPath)(y, `${name}.drop_path`);
  building.paths.push(dropped.sourceLayer as unknown as { rate: number });
  return dropped;
}

/**
 * A norm inside of a residual block, and DropBlock behind it if the network gets it: as timm's ResNets, blocks of 5 with a
 * quarter of the rate where maps have a 16th of the input's size, and blocks of 3 where they have a 32nd.
 */
export function withDropBlock(norm: Block): Block {
  return (x, name) => {
    const y = norm(x, name);
    const rate = building?.dropBlock;
    if (building === undefined || rate === undefined) return y;
    const [whole, own] = [building.input[0], y.shape[1]];
    if (whole == null || own == null)
      throw new OptionError(`${name}: dropBlock needs an input of a known size: give input its height and width.`);
    const stride = 2 ** Math.round(Math.log2(whole / own));
    if (stride !== 16 && stride !== 32) return y;
    building.blocks += 1;
    const options = stride === 16 ? { size: 5, scale: 0.25 } : { size: 3, scale: 1 };
    return building.make.block(rate, options)(y, `${name}.drop_block`);
  };
}
