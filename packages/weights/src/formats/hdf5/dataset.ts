import { inflateSync } from "node:zlib";
import { checkedCount, swapBytes } from "../../bytes/named-tensor.ts";
import type { StoredType } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { readAttributes } from "./attributes.ts";
import type { Hdf5Value } from "./attributes.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { readShape, readType } from "./type.ts";
import type { Hdf5Type } from "./type.ts";
import { withoutChecksum } from "./fletcher32.ts";
import { open } from "./object-header.ts";
import type { Hdf5Context, HeaderMessage } from "./object-header.ts";

export interface Hdf5Dataset {
  readonly kind: "dataset";
  readonly path: string;
  readonly attributes: ReadonlyMap<string, Hdf5Value>;
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  /** The elements, little-endian, in row-major order. */
  readBytes(): Uint8Array<ArrayBuffer>;
}

/** A dataset that holds something else than numbers. */
export class UnreadDataset extends WeightsError {
  readonly problem: string;
  constructor(file: string, place: string, problem: string) {
    super(file, place, problem);
    this.problem = problem;
  }
}

interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

/** Limit on the unpacked bytes of one chunk. */
const chunkBytes = 1 << 28;
const filterLimit = 32;

/** A dataset with its header read; its bytes are read later. */
export function openDataset(context: Hdf5Context, messages: readonly HeaderMessage[], path: string): Hdf5Dataset {
  const { file } = context.source;
  const place = `dataset "${path}"`;
  const body = (type: number, what: string): Hdf5Bytes => {
    const found = messages.find((message) => message.type === type);
    if (found === undefined) throw new WeightsError(file, place, `has no ${what}`);
    return found.body;
  };
  if (messages.some(({ type }) => type === 0x07))
    throw new WeightsError(file, place, "keeps its data in other files, which are not opened");
  const attributes = readAttributes(context, messages);
  const stored = readType(body(0x03, "type"));
  // Keras stores bfloat16 as opaque 16-bit numbers, with the type in an attribute.
  const isBrain = attributes.get("dtype") === "bfloat16" && stored.size === 2;
  const type: Hdf5Type = isBrain ? { kind: "number", dtype: "bfloat16", size: 2, bigEndian: false } : stored;
  const shape = readShape(body(0x01, "shape"), context.lengthSize);
  if (type.kind !== "number")
    throw new UnreadDataset(file, place, `expected numbers, got ${type.kind === "other" ? type.description : "text"}`);
  if (shape === undefined) throw new UnreadDataset(file, place, "has no data");
  const count = checkedCount(shape);
  if (count === undefined) throw new WeightsError(file, place, `[${shape}] is not a shape`);
  const size = count * type.size;
  context.count("data", size, place);
  const filters = messages.filter((message) => message.type === 0x0b).flatMap((message) => readFilters(message.body));
  const twice = filters.find(({ id }, index) => filters.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) throw new WeightsError(file, place, `is packed by filter ${twice.id} twice`);
  const layout = body(0x08, "layout");
  const start = layout.at;
  return {
    kind: "dataset",
    path,
    attributes,
    shape,
    dtype: type.dtype,
    readBytes() {
      layout.at = start;
      const bytes =
        size === 0
          ? new Uint8Array(0)
          : readBytes(context, layout, { shape, elementSize: type.size, size, filters, place });
      return type.bigEndian ? swapBytes(bytes, type.dtype) : bytes;
    },
  };
}

interface DataPlan {
  readonly shape: readonly number[];
  readonly elementSize: number;
  readonly size: number;
  readonly filters: readonly Filter[];
  readonly place: string;
}

/** The bytes of a dataset by its layout message, versions 3 and 4. */
function readBytes(context: Hdf5Context, layout: Hdf5Bytes, plan: DataPlan): Uint8Array<ArrayBuffer> {
  const { source, base, offsetSize, lengthSize } = context;
  const version = layout.u8();
  if (version !== 3 && version !== 4) layout.fail(`data layout version ${version} is not read (3 and 4 are)`);
  const kind = layout.u8();
  if (kind === 0) {
    const stored = layout.u16();
    if (stored < plan.size) layout.fail(`${plan.place} needs ${plan.size} bytes, but ${stored} are stored`);
    return new Uint8Array(layout.take(plan.size));
  }
  if (kind === 1) {
    const address = layout.uint(offsetSize);
    const stored = layout.uint(lengthSize);
    if (address === undefinedAddress) layout.fail(`${plan.place} was made, but never written`);
    if (stored < plan.size) layout.fail(`${plan.place} needs ${plan.size} bytes, but ${stored} are stored`);
    return source.read(base + address, plan.size);
  }
  if (kind !== 2) return layout.fail(`data layout ${kind} is not read (compact, contiguous and chunked are)`);
  const out = new Uint8Array(plan.size);
  let filled = 0;
  const put = (offsets: readonly number[], sides: readonly number[], bytes: Uint8Array): void => {
    filled += copyChunk(out, plan.shape, plan.elementSize, offsets, sides, bytes);
  };
  if (version === 3) {
    const rank = layout.u8() - 1;
    const tree = layout.uint(offsetSize);
    const sides = Array.from({ length: Math.max(0, rank) }, () => layout.u32());
    const chunkSize = checkedChunk(layout, sides, plan);
    if (tree === undefinedAddress) layout.fail(`${plan.place} was made, but never written`);
    const places = new Set<string>();
    let read = 0;
    readChunkTree(context, tree, rank, new Set(), (offsets, address, stored, mask) => {
      read += stored;
      if (read > source.size) layout.fail(`${plan.place} has chunks of more bytes than the file has`);
      // Unpack each position at most once, so that chunks in a hostile file cannot unpack to much more than the
      // dataset.
      const inGrid = offsets.every(
        (offset, axis) => offset >= 0 && offset < plan.shape[axis]! && Number.isInteger(offset / sides[axis]!),
      );
      if (!inGrid || places.has(String(offsets)))
        layout.fail(`${plan.place} has a chunk at [${offsets}], which is no place for one, or has one already`);
      places.add(String(offsets));
      const packed = source.read(base + address, stored);
      put(offsets, sides, unfilter(packed, plan.filters, mask, chunkSize, source.file, plan.place));
    });
  } else {
    const flags = layout.u8();
    const rank = layout.u8() - 1;
    const sideSize = layout.u8();
    const sides = Array.from({ length: Math.max(0, rank) }, () => layout.uint(sideSize));
    layout.skip(sideSize);
    const chunkSize = checkedChunk(layout, sides, plan);
    if (layout.u8() !== 1)
      return layout.fail(
        `${plan.place} has a chunk index of libver="latest", which is not read: write it with h5py's defaults`,
      );
    const stored = (flags & 2) === 0 ? chunkSize : layout.uint(lengthSize);
    const mask = (flags & 2) === 0 ? 0 : layout.u32();
    const packed = source.read(base + layout.uint(offsetSize), stored);
    put(
      sides.map(() => 0),
      sides,
      unfilter(packed, plan.filters, mask, chunkSize, source.file, plan.place),
    );
  }
  if (filled !== plan.size) layout.fail(`${plan.place} has ${plan.size} bytes, but chunks for ${filled}`);
  return out;
}

function checkedChunk(layout: Hdf5Bytes, sides: readonly number[], { shape, elementSize, place }: DataPlan): number {
  const size = sides.reduce((product, side) => product * side, elementSize);
  if (sides.length !== shape.length || sides.some((side) => side <= 0) || size > chunkBytes)
    layout.fail(`${place} has chunks of [${sides}]`);
  return size;
}

type ChunkVisitor = (offsets: readonly number[], address: number, stored: number, mask: number) => void;

function readChunkTree(
  context: Hdf5Context,
  address: number,
  rank: number,
  seen: Set<number>,
  visit: ChunkVisitor,
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
    if (level > 0) readChunkTree(context, child, rank, seen, visit, level - 1);
    else if (seen.has(child)) body.fail("a chunk is there twice");
    else {
      seen.add(child);
      visit(offsets, child, stored, mask);
    }
  }
}

/** Copies the part of a chunk that lies within the shape; returns the bytes copied. */
function copyChunk(
  out: Uint8Array,
  shape: readonly number[],
  elementSize: number,
  offsets: readonly number[],
  sides: readonly number[],
  chunk: Uint8Array,
): number {
  // Trailing axes that the chunk covers entirely form one contiguous row with the axis before them.
  const whole = shape.findLastIndex((size, axis) => axis === 0 || size !== sides[axis]);
  const rank = Math.max(1, whole + 1);
  const rest = shape.slice(rank).reduce((product, size) => product * size, elementSize);
  const extent = shape.slice(0, rank).map((size, axis) => Math.min(sides[axis]!, size - offsets[axis]!));
  const rowBytes = (extent[rank - 1] ?? 1) * rest;
  const rows = extent.slice(0, -1).reduce((product, size) => product * size, 1);
  const index = extent.map(() => 0);
  for (let row = 0; row < rows; row++) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < extent.length; axis++) {
      from = from * sides[axis]! + index[axis]!;
      to = to * shape[axis]! + offsets[axis]! + index[axis]!;
    }
    out.set(chunk.subarray(from * rest, from * rest + rowBytes), to * rest);
    for (let axis = rank - 2; axis >= 0; axis--) {
      if (++index[axis]! < extent[axis]!) break;
      index[axis] = 0;
    }
  }
  return rows * rowBytes;
}

function readFilters(body: Hdf5Bytes): Filter[] {
  const version = body.u8();
  const count = body.u8();
  if (version === 1) body.skip(6);
  else if (version !== 2) body.fail(`filter version ${version} is not known`);
  if (count > filterLimit) body.fail(`${count} filters, but HDF5 allows ${filterLimit}`);
  return Array.from({ length: count }, () => {
    const id = body.u16();
    const nameSize = version === 1 || id >= 256 ? body.u16() : 0;
    body.skip(2);
    const valueCount = body.u16();
    body.skip(version === 1 ? Math.ceil(nameSize / 8) * 8 : nameSize);
    const values = Array.from({ length: valueCount }, () => body.u32());
    if (version === 1 && valueCount % 2 === 1) body.skip(4);
    return { id, values };
  });
}

/** Undoes the filters from the last to the first. Each bit set in `mask` marks a filter that this chunk skipped. */
function unfilter(
  stored: Uint8Array<ArrayBuffer>,
  filters: readonly Filter[],
  mask: number,
  chunkSize: number,
  file: string,
  place: string,
): Uint8Array {
  let bytes: Uint8Array = stored;
  for (let index = filters.length - 1; index >= 0; index--) {
    const filter = filters[index]!;
    if ((mask & (1 << index)) !== 0) continue;
    if (filter.id === 1) bytes = inflate(bytes, chunkSize + 4, file, place);
    else if (filter.id === 2) bytes = unshuffle(bytes, filter.values[0] ?? 1);
    else if (filter.id === 3) bytes = withoutChecksum(bytes, file, place);
    else
      throw new WeightsError(
        file,
        place,
        `is packed by filter ${filter.id}; deflate (1), shuffle (2) and fletcher32 (3) are known`,
      );
  }
  if (bytes.byteLength < chunkSize)
    throw new WeightsError(file, place, `a chunk should have ${chunkSize} bytes, but unpacks to ${bytes.byteLength}`);
  return bytes;
}

function inflate(bytes: Uint8Array, limit: number, file: string, place: string): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    throw new WeightsError(file, place, `a chunk does not unpack: ${(error as Error).message}`, { cause: error });
  }
}

/** Undoes HDF5's shuffle filter, which stores the first bytes of all elements, then all second bytes, and so on. */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.byteLength / size);
  if (size < 2 || count < 2) return bytes;
  const out = new Uint8Array(bytes.byteLength);
  for (let part = 0; part < size; part++) {
    for (let i = 0; i < count; i++) out[i * size + part] = bytes[part * count + i]!;
  }
  out.set(bytes.subarray(count * size), count * size);
  return out;
}
