import { readRecords } from "./btree2.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { visitExtensibleArray, visitFixedArray } from "./chunk-arrays.ts";
import type { ArrayVisitor } from "./chunk-arrays.ts";
import { open } from "./object-header.ts";
import type { Hdf5Context } from "./object-header.ts";

/** The chunks of a dataset: how they divide its shape. */
export interface ChunkGrid {
  readonly shape: readonly number[];
  /** How far each axis may grow; Infinity for an axis without end. */
  readonly maxShape: readonly number[];
  readonly sides: readonly number[];
  /** Bytes of an unpacked chunk. */
  readonly chunkSize: number;
}

export interface StoredChunk {
  /** The chunk's first element on each axis. */
  readonly offsets: readonly number[];
  readonly address: number;
  /** Bytes in the file. */
  readonly stored: number;
  /** The filters that this chunk skipped, a bit each. */
  readonly mask: number;
}

export type ChunkVisitor = (chunk: StoredChunk) => void;

/** Visits the chunks by an index of layout version 4, as libver v110 and later write it; the cursor is at its type. */
export function visitIndex(
  context: Hdf5Context,
  layout: Hdf5Bytes,
  grid: ChunkGrid,
  isSinglePacked: boolean,
  visit: ChunkVisitor,
): void {
  const { offsetSize, lengthSize } = context;
  const { chunkSize } = grid;
  const address = (): number => {
    const at = layout.uint(offsetSize);
    return at === undefinedAddress ? layout.fail("has chunks that were never written") : at;
  };
  const kind = layout.u8();
  switch (kind) {
    case 1: {
      const stored = isSinglePacked ? layout.uint(lengthSize) : chunkSize;
      const mask = isSinglePacked ? layout.u32() : 0;
      visit({ offsets: grid.sides.map(() => 0), address: address(), stored, mask });
      return;
    }
    case 2: {
      const first = address();
      const place = placesOf(grid, undefined);
      for (let index = 0; index < place.count; index++) {
        const offsets = place.offsets(index);
        if (offsets !== undefined) visit({ offsets, address: first + index * chunkSize, stored: chunkSize, mask: 0 });
      }
      return;
    }
    case 3: {
      layout.skip(1);
      visitFixedArray(context, address(), atPlaces(placesOf(grid, undefined), chunkSize, visit));
      return;
    }
    case 4: {
      layout.skip(5);
      const places = placesOf(grid, grid.maxShape.indexOf(Number.POSITIVE_INFINITY));
      visitExtensibleArray(context, address(), places.count, atPlaces(places, chunkSize, visit));
      return;
    }
    case 5: {
      layout.skip(6);
      const rank = grid.sides.length;
      for (const record of readRecords(context, address(), [10, 11])) {
        const at = record.uint(offsetSize);
        const isPacked = record.bytes.byteLength > offsetSize + 8 * rank;
        const stored = isPacked ? record.uint(record.bytes.byteLength - offsetSize - 4 - 8 * rank) : chunkSize;
        const mask = isPacked ? record.u32() : 0;
        const offsets = grid.sides.map((side) => record.uint(8) * side);
        visit({ offsets, address: at, stored, mask });
      }
      return;
    }
    default:
      layout.fail(`chunk index ${kind} is not known (1 to 5 are)`);
  }
}

/** Visits the chunks of a B-tree of version 1, as every version of the library reads it. */
export function visitTree(
  context: Hdf5Context,
  address: number,
  rank: number,
  visit: ChunkVisitor,
  seen = new Set<number>(),
  expected?: number,
): void {
  const { offsetSize } = context;
  const header = open(context, address, 8 + 2 * offsetSize);
  if (seen.has(address)) header.fail("a tree of chunks leads back to itself");
  seen.add(address);
  header.signature("TREE");
  if (header.u8() !== 1) header.fail("expected a tree of chunks");
  const level = header.u8();
  if (expected !== undefined && level !== expected) header.fail(`expected a node of level ${expected}, got ${level}`);
  const count = header.u16();
  const keySize = 8 + 8 * (rank + 1);
  const body = open(context, address + 8 + 2 * offsetSize, count * (keySize + offsetSize));
  for (let index = 0; index < count; index++) {
    const stored = body.u32();
    const mask = body.u32();
    const offsets = Array.from({ length: rank }, () => body.uint(8));
    body.skip(8);
    const child = body.uint(offsetSize);
    if (level > 0) visitTree(context, child, rank, visit, seen, level - 1);
    else if (seen.has(child)) body.fail("a chunk is there twice");
    else {
      seen.add(child);
      visit({ offsets, address: child, stored, mask });
    }
  }
}

interface Places {
  /** How many indices may have a chunk. */
  readonly count: number;
  /** The first element of the chunk of an index; undefined beyond the shape. */
  offsets(index: number): number[] | undefined;
}

/**
 * Numbers the chunks of the largest shape in row-major order. The axis without end counts as the slowest, so that the
 * numbers stay when it grows.
 */
function placesOf({ shape, maxShape, sides }: ChunkGrid, unlimited: number | undefined): Places {
  const axes = shape.map((_, axis) => axis);
  const order =
    unlimited === undefined || unlimited < 0 ? axes : [unlimited, ...axes.filter((axis) => axis !== unlimited)];
  const sizes = order.map((axis) => {
    const size = Number.isFinite(maxShape[axis]) ? maxShape[axis]! : shape[axis]!;
    return Math.ceil(size / sides[axis]!);
  });
  return {
    count: sizes.reduce((product, size) => product * size, 1),
    offsets(index) {
      const offsets = shape.map(() => 0);
      let rest = index;
      for (let i = order.length - 1; i >= 0; i--) {
        const axis = order[i]!;
        const size = i === 0 ? Number.POSITIVE_INFINITY : sizes[i]!;
        const step = Number.isFinite(size) ? rest % size : rest;
        offsets[axis] = step * sides[axis]!;
        rest = Number.isFinite(size) ? Math.floor(rest / size) : 0;
        if (offsets[axis]! >= shape[axis]!) return undefined;
      }
      return offsets;
    },
  };
}

function atPlaces(places: Places, chunkSize: number, visit: ChunkVisitor): ArrayVisitor {
  return (index, { address, stored, mask }) => {
    const offsets = places.offsets(index);
    if (offsets !== undefined) visit({ offsets, address, stored: stored ?? chunkSize, mask });
  };
}
