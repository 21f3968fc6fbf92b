import { readRecords } from "./btree2.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { lookup3 } from "./checksum.ts";
import { open, openChecked } from "./object-header.ts";
import type { Hdf5Context } from "./object-header.ts";

/** What the header of a heap states. */
interface Heap {
  readonly isChecked: boolean;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly hugeTree: number;
  readonly width: number;
  readonly startSize: number;
  readonly maxDirect: number;
  readonly root: number;
  readonly rootRows: number;
}

/**
 * Opens a fractal heap, where libver="latest" and track_order keep the links and attributes of an object that has more
 * than 8. Returns a function that gives an object by its ID (HDF5 file format, III.G).
 */
export function openHeap(context: Hdf5Context, address: number): (id: Hdf5Bytes) => Hdf5Bytes {
  const heap = readHeader(context, address);
  const blocks = new Map<number, Hdf5Bytes>();
  const block = (at: number, size: number): Hdf5Bytes => {
    const known = blocks.get(at);
    if (known !== undefined) return known;
    const opened = open(context, at, size);
    opened.signature("FHDB");
    if (heap.isChecked) checkBlock(opened, 5 + context.offsetSize + heap.offsetBytes);
    blocks.set(at, opened);
    return opened;
  };
  return (id) => {
    const kind = (id.u8() >> 4) & 3;
    if (kind === 1) return hugeObject(context, heap, id);
    if (kind === 2) return tinyObject(id);
    if (kind !== 0) return id.fail("an object of a heap of no known kind");
    const offset = id.uint(heap.offsetBytes);
    const length = id.uint(heap.lengthBytes);
    if (offset < 0 || length < 0) id.fail("an object of a heap that is nowhere");
    const found = findBlock(context, heap, offset);
    const whole = block(found.address, found.size);
    whole.at = 0;
    whole.skip(offset - found.start);
    return whole.part(length);
  };
}

/** Compares a direct block's checksum, which stands in it at `at` and counts as zero. */
function checkBlock(block: Hdf5Bytes, at: number): void {
  const bytes = Uint8Array.from(block.bytes);
  const view = new DataView(bytes.buffer);
  if (at + 4 > bytes.byteLength) block.fail(`a block of a heap has ${bytes.byteLength} bytes`);
  const stored = view.getUint32(at, true);
  view.setUint32(at, 0);
  const computed = lookup3(bytes);
  if (stored !== computed) block.fail(`is damaged: expected the checksum ${stored}, got ${computed}`);
}

function readHeader(context: Hdf5Context, address: number): Heap {
  const { offsetSize, lengthSize } = context;
  const header = openChecked(context, address, 26 + 12 * lengthSize + 3 * offsetSize);
  header.signature("FRHP");
  if (header.u8() !== 0) header.fail("expected a fractal heap of version 0");
  header.skip(2);
  if (header.u16() !== 0) header.fail("a heap that is packed by a filter is not read");
  const isChecked = (header.u8() & 2) !== 0;
  const maxObject = header.u32();
  header.skip(lengthSize);
  const hugeTree = header.uint(offsetSize);
  header.skip(lengthSize + offsetSize + 8 * lengthSize);
  const width = header.u16();
  const startSize = header.uint(lengthSize);
  const maxDirect = header.uint(lengthSize);
  const offsetBytes = Math.ceil(header.u16() / 8);
  header.skip(2);
  const root = header.uint(offsetSize);
  const rootRows = header.u16();
  if (!isPower(width) || !isPower(startSize) || !isPower(maxDirect) || maxDirect < startSize || offsetBytes > 8)
    header.fail(`a heap of ${width} blocks of ${startSize} to ${maxDirect} bytes cannot be true`);
  const lengthBytes = Math.min(
    Math.floor((Math.log2(maxDirect) + 7) / 8),
    Math.floor(Math.log2(Math.max(1, maxObject)) / 8) + 1,
  );
  return { isChecked, offsetBytes, lengthBytes, hugeTree, width, startSize, maxDirect, root, rootRows };
}

/** The direct block that holds an offset of the heap. */
function findBlock(context: Hdf5Context, heap: Heap, offset: number): { address: number; start: number; size: number } {
  const { width, startSize, maxDirect } = heap;
  let [address, rows, start] = [heap.root, heap.rootRows, 0];
  const directRows = Math.log2(maxDirect) - Math.log2(startSize) + 2;
  if (rows === 0) return { address, start, size: startSize };
  for (;;) {
    const node = openIndirect(context, heap, address, rows);
    let [row, rowStart] = [0, start];
    const sizeOf = (index: number): number => startSize * 2 ** Math.max(0, index - 1);
    while (row < rows && offset >= rowStart + width * sizeOf(row)) {
      rowStart += width * sizeOf(row);
      row++;
    }
    if (row >= rows) node.fail(`a heap ends before its byte ${offset}`);
    const column = Math.floor((offset - rowStart) / sizeOf(row));
    node.skip((row * width + column) * context.offsetSize);
    address = node.uint(context.offsetSize);
    if (address === undefinedAddress) node.fail(`a heap has no block at its byte ${offset}`);
    start = rowStart + column * sizeOf(row);
    if (row < directRows) return { address, start, size: sizeOf(row) };
    const inner = Math.log2(sizeOf(row)) - Math.log2(startSize * width) + 1;
    // Rows shrink on the way down, so that a heap cannot lead in circles.
    if (inner >= rows || inner < 1) node.fail("a block of a heap that is larger than the block around it");
    rows = inner;
  }
}

/** A block of addresses, with its cursor before the first. */
function openIndirect(context: Hdf5Context, heap: Heap, address: number, rows: number): Hdf5Bytes {
  const { offsetSize } = context;
  const prefix = 5 + offsetSize + heap.offsetBytes;
  const node = openChecked(context, address, prefix + rows * heap.width * offsetSize + 4);
  node.signature("FHIB");
  node.skip(prefix - 4);
  return node;
}

/** An object that is too large for the blocks: its ID is a key in a tree of addresses. */
function hugeObject(context: Hdf5Context, heap: Heap, id: Hdf5Bytes): Hdf5Bytes {
  if (heap.hugeTree === undefinedAddress) id.fail("a large object of a heap that has none");
  const key = id.uint(Math.min(id.left, context.lengthSize));
  for (const record of readRecords(context, heap.hugeTree, [1])) {
    const [address, length] = [record.uint(context.offsetSize), record.uint(context.lengthSize)];
    if (record.uint(context.lengthSize) === key) return open(context, address, length);
  }
  return id.fail(`a heap has no large object ${key}`);
}

/** An object that lies in its ID. */
function tinyObject(id: Hdf5Bytes): Hdf5Bytes {
  const length = (id.bytes[0]! & 0x0f) + 1;
  return id.part(length);
}

function isPower(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
