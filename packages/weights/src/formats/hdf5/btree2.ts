import type { Hdf5Bytes } from "./bytes.ts";
import { openChecked } from "./object-header.ts";
import type { Hdf5Context } from "./object-header.ts";

/** Bytes of a node around its records: signature, version, type and checksum. */
const frame = 10;
const depthLimit = 16;

/** The size of child pointers at each level, and how many records a node of it may have. */
interface Level {
  readonly maxRecords: number;
  /** Records in the whole subtree. */
  readonly maxTotal: number;
  readonly totalSize: number;
}

/** The records of a B-tree of version 2, in the order of its keys (HDF5 file format, III.A.2). */
export function readRecords(context: Hdf5Context, address: number, types: readonly number[]): Hdf5Bytes[] {
  const { offsetSize, lengthSize } = context;
  const header = openChecked(context, address, 22 + offsetSize + lengthSize);
  header.signature("BTHD");
  if (header.u8() !== 0) header.fail("expected a B-tree of version 2");
  const type = header.u8();
  if (!types.includes(type)) header.fail(`expected a B-tree of type ${types.join(" or ")}, got ${type}`);
  const nodeSize = header.u32();
  const recordSize = header.u16();
  const depth = header.u16();
  header.skip(2);
  const root = header.uint(offsetSize);
  const rootCount = header.u16();
  const total = header.uint(lengthSize);
  if (recordSize === 0 || nodeSize < frame + recordSize || depth > depthLimit)
    header.fail(`a B-tree of depth ${depth} with nodes of ${nodeSize} bytes cannot be true`);
  const countSize = bytesFor(Math.floor((nodeSize - frame) / recordSize));
  const levels = levelsOf({ nodeSize, recordSize, depth, countSize, offsetSize });
  const records: Hdf5Bytes[] = [];
  const seen = new Set<number>();
  const readNode = (at: number, count: number, level: number): void => {
    if (seen.has(at)) header.fail("a B-tree leads back to itself");
    seen.add(at);
    if (count > levels[level]!.maxRecords) header.fail(`a node of ${count} records cannot be true`);
    const below = level === 0 ? undefined : levels[level - 1]!;
    const pointerSize = below === undefined ? 0 : offsetSize + countSize + below.totalSize;
    const node = openChecked(context, at, frame + count * recordSize + (level === 0 ? 0 : (count + 1) * pointerSize));
    node.signature(level === 0 ? "BTLF" : "BTIN");
    if (node.u8() !== 0 || node.u8() !== type) node.fail(`expected a node of type ${type}`);
    const own = Array.from({ length: count }, () => node.part(recordSize));
    for (let index = 0; index <= count; index++) {
      if (below !== undefined) {
        const child = node.uint(offsetSize);
        const childCount = node.uint(countSize);
        node.skip(below.totalSize);
        readNode(child, childCount, level - 1);
      }
      if (index < count) records.push(own[index]!);
    }
  };
  if (rootCount > 0) readNode(root, rootCount, depth);
  if (records.length !== total) header.fail(`a B-tree claims ${total} records, but has ${records.length}`);
  return records;
}

function levelsOf(tree: {
  readonly nodeSize: number;
  readonly recordSize: number;
  readonly depth: number;
  readonly countSize: number;
  readonly offsetSize: number;
}): Level[] {
  const leaf = Math.floor((tree.nodeSize - frame) / tree.recordSize);
  const levels: Level[] = [{ maxRecords: leaf, maxTotal: leaf, totalSize: 0 }];
  for (let level = 1; level <= tree.depth; level++) {
    const below = levels[level - 1]!;
    const pointer = tree.offsetSize + tree.countSize + below.totalSize;
    const maxRecords = Math.floor((tree.nodeSize - frame - pointer) / (tree.recordSize + pointer));
    const maxTotal = (maxRecords + 1) * below.maxTotal + maxRecords;
    levels.push({ maxRecords, maxTotal, totalSize: bytesFor(maxTotal) });
  }
  return levels;
}

/** Bytes that numbers up to this one take. */
function bytesFor(largest: number): number {
  return Math.floor(Math.log2(Math.max(1, largest)) / 8) + 1;
}
