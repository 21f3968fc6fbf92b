import { checkedCount, swapBytes } from "../../bytes/named-tensor.ts";
import type { StoredType } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { readAttributes } from "./attributes.ts";
import type { Hdf5Value } from "./attributes.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { visitIndex, visitTree } from "./chunk-index.ts";
import type { ChunkVisitor } from "./chunk-index.ts";
import { readFilters, unfilter } from "./filters.ts";
import type { Filter } from "./filters.ts";
import { readSpace, readType } from "./type.ts";
import type { Hdf5Type } from "./type.ts";
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

/** Limit on the unpacked bytes of one chunk. */
const chunkBytes = 1 << 28;

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
  const space = readSpace(body(0x01, "shape"), context.lengthSize);
  if (type.kind !== "number")
    throw new UnreadDataset(file, place, `expected numbers, got ${type.kind === "other" ? type.description : "text"}`);
  if (space === undefined) throw new UnreadDataset(file, place, "has no data");
  const { shape, maxShape } = space;
  const count = checkedCount(shape);
  if (count === undefined) throw new WeightsError(file, place, `[${shape}] is not a shape`);
  const size = count * type.size;
  context.count("data", size, place);
  const packing = messages.filter((message) => message.type === 0x0b).map((message) => message.body);
  const filters = readFilters(packing, file, place);
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
          : readBytes(context, layout, { shape, maxShape, elementSize: type.size, size, filters, place });
      return type.bigEndian ? swapBytes(bytes, type.dtype) : bytes;
    },
  };
}

interface DataPlan {
  readonly shape: readonly number[];
  readonly maxShape: readonly number[];
  readonly elementSize: number;
  readonly size: number;
  readonly filters: readonly Filter[];
  readonly place: string;
}

/** The bytes of a dataset by its layout message, versions 3 to 5. */
function readBytes(context: Hdf5Context, layout: Hdf5Bytes, plan: DataPlan): Uint8Array<ArrayBuffer> {
  const { source, base, offsetSize, lengthSize } = context;
  const version = layout.u8();
  // Version 5 is 4 with longer sizes of chunks, which the indices state.
  if (version < 3 || version > 5) layout.fail(`data layout version ${version} is not read (3 to 5 are)`);
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
  if (kind === 3) return layout.fail(`${plan.place} is virtual: its data are in other files, which are not opened`);
  if (kind !== 2) return layout.fail(`data layout ${kind} is not read (compact, contiguous and chunked are)`);
  return readChunks(context, layout, version, plan);
}

/** The bytes of a dataset in chunks. */
function readChunks(context: Hdf5Context, layout: Hdf5Bytes, version: number, plan: DataPlan): Uint8Array<ArrayBuffer> {
  const { source, base, offsetSize } = context;
  const { shape, maxShape, filters, place } = plan;
  const flags = version === 3 ? 0 : layout.u8();
  const rank = layout.u8() - 1;
  const tree = version === 3 ? layout.uint(offsetSize) : 0;
  const sideSize = version === 3 ? 4 : layout.u8();
  const sides = Array.from({ length: Math.max(0, rank) }, () => layout.uint(sideSize));
  const chunkSize = checkedChunk(layout, sides, plan);
  const out = new Uint8Array(plan.size);
  const places = new Set<string>();
  let [filled, read] = [0, 0];
  const visit: ChunkVisitor = ({ offsets, address, stored, mask }) => {
    read += stored;
    if (read > source.size) layout.fail(`${place} has chunks of more bytes than the file has`);
    // Unpack each position at most once, so that chunks in a hostile file cannot unpack to much more than the dataset.
    const inGrid = offsets.every(
      (offset, axis) => offset >= 0 && offset < shape[axis]! && Number.isInteger(offset / sides[axis]!),
    );
    if (!inGrid || places.has(String(offsets)))
      layout.fail(`${place} has a chunk at [${offsets}], which is no place for one, or has one already`);
    places.add(String(offsets));
    const packed = source.read(base + address, stored);
    // Chunks that stick out of the shape may be left unpacked.
    const isPlain = (flags & 1) !== 0 && offsets.some((offset, axis) => offset + sides[axis]! > shape[axis]!);
    const bytes = unfilter(packed, isPlain ? [] : filters, mask, chunkSize, source.file, place);
    filled += copyChunk(out, shape, plan.elementSize, offsets, sides, bytes);
  };
  if (version === 3) {
    if (tree === undefinedAddress) layout.fail(`${place} was made, but never written`);
    visitTree(context, tree, rank, visit);
  } else {
    layout.skip(sideSize);
    visitIndex(context, layout, { shape, maxShape, sides, chunkSize }, (flags & 2) !== 0, visit);
  }
  if (filled !== plan.size) layout.fail(`${place} has ${plan.size} bytes, but chunks for ${filled}`);
  return out;
}

function checkedChunk(layout: Hdf5Bytes, sides: readonly number[], { shape, elementSize, place }: DataPlan): number {
  const size = sides.reduce((product, side) => product * side, elementSize);
  if (sides.length !== shape.length || sides.some((side) => side <= 0) || size > chunkBytes)
    layout.fail(`${place} has chunks of [${sides}]`);
  return size;
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
