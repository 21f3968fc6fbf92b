import { latin1Text } from "../../bytes/encoding.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { Hdf5Bytes } from "./bytes.ts";
import { lookup3 } from "./checksum.ts";

/** State shared by all readers of one file. */
export interface Hdf5Context {
  readonly source: ByteSource;
  /** Offset to add to every address: the size of a user block before the HDF5 data. */
  readonly base: number;
  readonly offsetSize: number;
  readonly lengthSize: number;
  /** Counts reads, so that circular or repeated references in a file end in an error. */
  count(what: "structure" | "text" | "data", bytes: number, place: string): void;
  /** Addresses of the objects opened so far. In Keras' files each object has one name. */
  readonly objects: Set<number>;
  /** The global heaps read so far, by address. They hold texts of variable length. */
  readonly heaps: Map<number, ReadonlyMap<number, Uint8Array>>;
}

export interface HeaderMessage {
  readonly type: number;
  readonly body: Hdf5Bytes;
}

const messageLimit = 1 << 16;
const chunkLimit = 1 << 26;

/** The messages of an object header, version 1 or 2, continuations followed (HDF5 file format, IV.A.1). */
export function readMessages(context: Hdf5Context, address: number): HeaderMessage[] {
  const probe = open(context, address, 4);
  const isNew = latin1Text(probe.bytes) === "OHDR";
  return isNew ? readNewHeader(context, address) : readOldHeader(context, address);
}

export function open(context: Hdf5Context, address: number, length: number): Hdf5Bytes {
  context.count("structure", length, `byte ${context.base + address}`);
  return Hdf5Bytes.read(context.source, context.base + address, length);
}

/** Reads a structure that ends with its checksum, and compares it. Structures before libver v18 have none. */
export function openChecked(context: Hdf5Context, address: number, length: number): Hdf5Bytes {
  const bytes = open(context, address, length);
  if (length < 4) return bytes.fail(`a structure of ${length} bytes has no checksum`);
  const view = new DataView(bytes.bytes.buffer, bytes.bytes.byteOffset + length - 4, 4);
  const [stored, computed] = [view.getUint32(0, true), lookup3(bytes.bytes.subarray(0, length - 4))];
  if (stored !== computed) bytes.fail(`is damaged: expected the checksum ${stored}, got ${computed}`);
  return bytes;
}

function readOldHeader(context: Hdf5Context, address: number): HeaderMessage[] {
  const prefix = open(context, address, 16);
  const version = prefix.u8();
  if (version !== 1) prefix.fail(`expected an object header of version 1 or 2, got ${version}`);
  prefix.skip(1);
  const count = prefix.u16();
  prefix.skip(4);
  const blocks = [{ address: address + 16, size: prefix.u32() }];
  const messages: HeaderMessage[] = [];
  for (const block of blocks) {
    if (block.size > chunkLimit || blocks.length > messageLimit)
      prefix.fail("an object header this large cannot be true");
    const bytes = open(context, block.address, block.size);
    while (bytes.left >= 8 && messages.length < count) {
      const type = bytes.u16();
      const size = bytes.u16();
      const shared = (bytes.u8() & 2) !== 0;
      bytes.skip(3);
      const body = bytes.part(size);
      if (shared) body.fail("shared header messages are not read: write the file again with h5py's defaults");
      messages.push({ type, body });
      if (type === 0x10) blocks.push({ address: body.uint(context.offsetSize), size: body.uint(context.lengthSize) });
    }
  }
  return messages;
}

function readNewHeader(context: Hdf5Context, address: number): HeaderMessage[] {
  const prefix = open(context, address, Math.min(64, context.source.size - context.base - address));
  prefix.signature("OHDR");
  const version = prefix.u8();
  if (version !== 2) prefix.fail(`expected an object header of version 2, got ${version}`);
  const flags = prefix.u8();
  if ((flags & 0x20) !== 0) prefix.skip(16);
  if ((flags & 0x10) !== 0) prefix.skip(4);
  const size = prefix.uint(1 << (flags & 3));
  // The first block is the header itself; all end with a checksum.
  const start = prefix.at;
  const blocks = [{ address, size: start + size + 4 }];
  const messages: HeaderMessage[] = [];
  for (const [index, block] of blocks.entries()) {
    if (size < 0 || block.size < 0 || block.size > chunkLimit)
      prefix.fail("an object header this large cannot be true");
    const bytes = openChecked(context, block.address, block.size);
    if (index > 0) bytes.signature("OCHK");
    else bytes.skip(start);
    const end = block.size - 4;
    while (end - bytes.at >= 4) {
      const type = bytes.u8();
      const length = bytes.u16();
      const shared = (bytes.u8() & 2) !== 0;
      if ((flags & 4) !== 0) bytes.skip(2);
      const body = bytes.part(length);
      if (shared) body.fail("shared header messages are not read: write the file again with h5py's defaults");
      if (messages.push({ type, body }) > messageLimit) bytes.fail("too many header messages");
      if (type === 0x10) blocks.push({ address: body.uint(context.offsetSize), size: body.uint(context.lengthSize) });
    }
  }
  return messages;
}
