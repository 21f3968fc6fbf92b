import { checkedCount, decodeElements, swapBytes } from "../../bytes/named-tensor.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { openHeap } from "./fractal-heap.ts";
import { readRecords } from "./btree2.ts";
import { readSpace, readType } from "./type.ts";
import { open } from "./object-header.ts";
import type { Hdf5Context, HeaderMessage } from "./object-header.ts";

/** An attribute's value: one text or number for a scalar, else a flat list. */
export type Hdf5Value = string | number | readonly string[] | readonly number[];

/** The attributes of an object. Skips attributes of types that no weight file uses. */
export function readAttributes(context: Hdf5Context, messages: readonly HeaderMessage[]): Map<string, Hdf5Value> {
  const attributes = new Map<string, Hdf5Value>();
  const add = (body: Hdf5Bytes): void => {
    const [name, value] = readAttribute(context, body);
    if (value !== undefined) attributes.set(name, value);
  };
  for (const { type, body } of messages) {
    if (type === 0x0c) add(body);
    if (type !== 0x15) continue;
    body.skip(1);
    if ((body.u8() & 1) !== 0) body.skip(2);
    const heap = body.uint(context.offsetSize);
    if (heap === undefinedAddress) continue;
    const find = openHeap(context, heap);
    // Records of the tree of names: the attribute's place in the heap, its flags, number and hash.
    for (const record of readRecords(context, body.uint(context.offsetSize), [8])) {
      const id = record.part(record.left - 9);
      if ((record.u8() & 2) !== 0) record.fail("shared attributes are not read");
      add(find(id));
    }
  }
  return attributes;
}

function readAttribute(context: Hdf5Context, body: Hdf5Bytes): [string, Hdf5Value | undefined] {
  const version = body.u8();
  if (version < 1 || version > 3) body.fail(`attribute version ${version} is not known`);
  if ((body.u8() & 3) !== 0 && version > 1) body.fail("shared types of attributes are not read");
  const [nameSize, typeSize, spaceSize] = [body.u16(), body.u16(), body.u16()];
  if (version === 3) body.skip(1);
  const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
  const name = body.part(padded(nameSize)).textUpToZero();
  const type = readType(body.part(padded(typeSize)));
  const shape = readSpace(body.part(padded(spaceSize)), context.lengthSize)?.shape;
  if (shape === undefined) return [name, undefined];
  const count = checkedCount(shape) ?? body.fail(`attribute "${name}" has the shape [${shape}]`);
  if (type.size === 0 || count * type.size > body.left)
    body.fail(`attribute "${name}" claims ${count} values of ${type.size} bytes, ${body.left} are left`);
  const one = <T extends string | number>(values: readonly T[]): T | readonly T[] =>
    shape.length === 0 ? values[0]! : values;
  switch (type.kind) {
    case "text":
      return [name, one(Array.from({ length: count }, () => body.part(type.size).textUpToZero()))];
    case "variable text":
      return [name, one(Array.from({ length: count }, () => readVariableText(context, body.part(type.size))))];
    case "number": {
      const bytes = new Uint8Array(body.take(count * type.size));
      if (type.bigEndian) swapBytes(bytes, type.dtype);
      return [name, one([...decodeElements(bytes, type.dtype, body.file, `attribute "${name}"`)])];
    }
    case "other":
      return [name, undefined];
  }
}

/** Reads text from the global heap. The reference holds its length, the heap's address and the index in it. */
function readVariableText(context: Hdf5Context, reference: Hdf5Bytes): string {
  const length = reference.u32();
  const address = reference.uint(context.offsetSize);
  const wanted = reference.u32();
  if (length === 0 || address === undefinedAddress) return "";
  context.count("text", length, `byte ${reference.start}`);
  const object = readHeap(context, address).get(wanted);
  if (object === undefined || length > object.byteLength)
    return reference.fail(`object ${wanted} is not whole in the heap at ${address}`);
  return new TextDecoder().decode(object.subarray(0, length)).replace(/\0+$/, "");
}

/** The objects of a global heap by their index. */
function readHeap(context: Hdf5Context, address: number): ReadonlyMap<number, Uint8Array> {
  const known = context.heaps.get(address);
  if (known !== undefined) return known;
  const header = open(context, address, 8 + context.lengthSize);
  header.signature("GCOL");
  header.skip(4);
  const heap = open(context, address, header.uint(context.lengthSize));
  heap.skip(8 + context.lengthSize);
  const objects = new Map<number, Uint8Array>();
  while (heap.left >= 8 + context.lengthSize) {
    const index = heap.u16();
    heap.skip(6);
    const size = heap.uint(context.lengthSize);
    if (index === 0) break;
    objects.set(index, heap.take(size));
    heap.skip(Math.min(heap.left, (8 - (size % 8)) % 8));
  }
  context.heaps.set(address, objects);
  return objects;
}
