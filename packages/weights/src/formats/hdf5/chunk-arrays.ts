import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { openChecked } from "./object-header.ts";
import type { Hdf5Context } from "./object-header.ts";

/** An element of an array of chunks; `stored` is missing where chunks are not packed. */
export interface ArrayElement {
  readonly address: number;
  readonly stored: number | undefined;
  readonly mask: number;
}

export type ArrayVisitor = (index: number, element: ArrayElement) => void;

/** What all blocks of an array share. */
interface ArrayParts {
  readonly context: Hdf5Context;
  readonly isPacked: boolean;
  readonly elementSize: number;
  /** Elements per page of a large block. */
  readonly pageCount: number;
  readonly visit: ArrayVisitor;
}

/** Visits the elements of a fixed array (HDF5 file format, VII.C). */
export function visitFixedArray(context: Hdf5Context, address: number, visit: ArrayVisitor): void {
  const { offsetSize, lengthSize } = context;
  const header = openChecked(context, address, 12 + offsetSize + lengthSize);
  header.signature("FAHD");
  const parts = readParts(context, header, visit, () => header.u8());
  const count = header.uint(lengthSize);
  const block = header.uint(offsetSize);
  if (block === undefinedAddress) return;
  const prefix = 6 + offsetSize;
  if (count <= parts.pageCount) {
    const body = openBlock(context, block, "FADB", prefix, prefix + count * parts.elementSize + 4);
    visitElements(parts, body, 0, count);
    return;
  }
  const pages = Math.ceil(count / parts.pageCount);
  const bitmapSize = Math.ceil(pages / 8);
  const body = openBlock(context, block, "FADB", prefix, prefix + bitmapSize + 4);
  const bitmap = body.take(bitmapSize);
  visitPages(parts, block + prefix + bitmapSize + 4, 0, count, (page) => isSet(bitmap, page));
}

/** Visits the first `count` elements of an extensible array (HDF5 file format, VII.D). */
export function visitExtensibleArray(context: Hdf5Context, address: number, count: number, visit: ArrayVisitor): void {
  const { offsetSize, lengthSize } = context;
  const header = openChecked(context, address, 16 + offsetSize + 6 * lengthSize);
  header.signature("EAHD");
  let [maxBits, indexCount, minElements, minPointers] = [0, 0, 0, 0];
  const parts = readParts(context, header, visit, () => {
    [maxBits, indexCount, minElements, minPointers] = [header.u8(), header.u8(), header.u8(), header.u8()];
    return header.u8();
  });
  header.skip(6 * lengthSize);
  const indexBlock = header.uint(offsetSize);
  if (indexBlock === undefinedAddress) return;
  if (!isPower(minElements) || !isPower(minPointers) || maxBits > 64 || 2 ** maxBits < minElements)
    header.fail("an array of chunks with blocks of such sizes cannot be true");
  // Super blocks double in turn the number of their data blocks and of the elements in each.
  const superBlocks = 1 + maxBits - Math.log2(minElements);
  const directBlocks = Math.min(superBlocks, 2 * Math.log2(minPointers));
  const directCount = 2 * (minPointers - 1);
  const prefix = 6 + offsetSize;
  const indexSize =
    prefix + indexCount * parts.elementSize + (directCount + superBlocks - directBlocks) * offsetSize + 4;
  const block = openBlock(context, indexBlock, "EAIB", prefix, indexSize);
  visitElements(parts, block, 0, Math.min(indexCount, count));
  block.at = prefix + indexCount * parts.elementSize;
  const offsetBytes = Math.ceil(maxBits / 8);
  let first = indexCount;
  for (let level = 0; level < superBlocks && first < count; level++) {
    const blocks = 2 ** (level >> 1);
    const elements = 2 ** ((level + 1) >> 1) * minElements;
    const data: DataBlocks = { blocks, elements, offsetBytes, first, count };
    if (level < directBlocks) visitDataBlocks(parts, block, data);
    else {
      const at = block.uint(offsetSize);
      if (at !== undefinedAddress) visitSuperBlock(parts, at, data);
    }
    first += blocks * elements;
  }
}

interface DataBlocks {
  readonly blocks: number;
  /** Elements in each. */
  readonly elements: number;
  /** Bytes of an offset in a block's header. */
  readonly offsetBytes: number;
  /** Index of the first element. */
  readonly first: number;
  /** Indices from this one on have no chunk. */
  readonly count: number;
}

function visitSuperBlock(parts: ArrayParts, address: number, data: DataBlocks): void {
  const { context, pageCount } = parts;
  const prefix = 6 + context.offsetSize + data.offsetBytes;
  const pages = data.elements > pageCount ? data.elements / pageCount : 0;
  const bitmapSize = data.blocks * Math.ceil(pages / 8);
  const size = prefix + bitmapSize + data.blocks * context.offsetSize + 4;
  const block = openBlock(context, address, "EASB", prefix, size);
  const bitmap = block.take(bitmapSize);
  visitDataBlocks(parts, block, data, (index, page) => isSet(bitmap, index * pages + page));
}

/** Visits the data blocks whose addresses follow in `list`. */
function visitDataBlocks(
  parts: ArrayParts,
  list: Hdf5Bytes,
  { blocks, elements, offsetBytes, first, count }: DataBlocks,
  hasPage: (block: number, page: number) => boolean = () => true,
): void {
  const { context, elementSize, pageCount } = parts;
  const prefix = 6 + context.offsetSize + offsetBytes;
  for (let index = 0; index < blocks; index++) {
    const address = list.uint(context.offsetSize);
    const start = first + index * elements;
    if (address === undefinedAddress || start >= count) continue;
    if (elements <= pageCount) {
      const body = openBlock(context, address, "EADB", prefix, prefix + elements * elementSize + 4);
      visitElements(parts, body, start, elements);
    } else {
      openBlock(context, address, "EADB", prefix, prefix + 4);
      visitPages(parts, address + prefix + 4, start, elements, (page) => hasPage(index, page));
    }
  }
}

/** Visits the pages of a large block. Pages that were never written have no true checksum, and are left out. */
function visitPages(
  parts: ArrayParts,
  address: number,
  first: number,
  count: number,
  has: (page: number) => boolean,
): void {
  const { context, elementSize, pageCount } = parts;
  for (let page = 0; page * pageCount < count; page++) {
    if (!has(page)) continue;
    const length = Math.min(pageCount, count - page * pageCount);
    const body = openChecked(context, address + page * (pageCount * elementSize + 4), length * elementSize + 4);
    visitElements(parts, body, first + page * pageCount, length);
  }
}

function visitElements(parts: ArrayParts, body: Hdf5Bytes, first: number, count: number): void {
  const { offsetSize } = parts.context;
  const sizeBytes = parts.elementSize - offsetSize - 4;
  for (let index = 0; index < count; index++) {
    const address = body.uint(offsetSize);
    const stored = parts.isPacked ? body.uint(sizeBytes) : undefined;
    const mask = parts.isPacked ? body.u32() : 0;
    if (address !== undefinedAddress) parts.visit(first + index, { address, stored, mask });
  }
}

/** Reads what the headers of both arrays begin with; `pageBits` reads up to the size of pages. */
function readParts(context: Hdf5Context, header: Hdf5Bytes, visit: ArrayVisitor, pageBits: () => number): ArrayParts {
  if (header.u8() !== 0) header.fail("expected an array of chunks of version 0");
  const isPacked = header.u8() === 1;
  const elementSize = header.u8();
  const pageCount = 2 ** Math.min(32, pageBits());
  const sizeBytes = elementSize - context.offsetSize - 4;
  if (isPacked ? sizeBytes < 1 || sizeBytes > 8 : elementSize !== context.offsetSize)
    header.fail(`an array of chunks with elements of ${elementSize} bytes cannot be true`);
  return { context, isPacked, elementSize, pageCount, visit };
}

/** A block with its checksum compared, and the cursor behind what it begins with. */
function openBlock(context: Hdf5Context, address: number, signature: string, prefix: number, size: number): Hdf5Bytes {
  const block = openChecked(context, address, size);
  block.signature(signature);
  block.skip(prefix - 4);
  return block;
}

/** Whether a bit is set; the first is the highest of the first byte. */
function isSet(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
}

function isPower(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
