import { byCodePoints } from "../../bytes/encoding.ts";
import { undefinedAddress } from "./bytes.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { readRecords } from "./btree2.ts";
import { openHeap } from "./fractal-heap.ts";
import { open } from "./object-header.ts";
import type { Hdf5Context, HeaderMessage } from "./object-header.ts";

/** The objects of a group, sorted by name: name to address of the object's header. Throws for soft and external links. */
export function readLinks(context: Hdf5Context, messages: readonly HeaderMessage[]): Map<string, number> {
  const links = new Map<string, number>();
  for (const { type, body } of messages) {
    if (type === 0x11) {
      const tree = body.uint(context.offsetSize);
      const heap = readLocalHeap(context, body.uint(context.offsetSize));
      readTree(context, tree, heap, links, new Set());
    } else if (type === 0x06) {
      const [name, address] = readLink(context, body);
      links.set(name, address);
    } else if (type === 0x02) {
      body.skip(1);
      const flags = body.u8();
      if ((flags & 1) !== 0) body.skip(8);
      const heap = body.uint(context.offsetSize);
      if (heap === undefinedAddress) continue;
      const find = openHeap(context, heap);
      // Records of the tree of names: the hash of the name and the link's place in the heap.
      for (const record of readRecords(context, body.uint(context.offsetSize), [5])) {
        record.skip(4);
        const [name, address] = readLink(context, find(record.part(record.left)));
        context.count("text", name.length, `byte ${record.start}`);
        links.set(name, address);
      }
    }
  }
  return new Map([...links].toSorted(([a], [b]) => byCodePoints(a, b)));
}

function readLocalHeap(context: Hdf5Context, address: number): Hdf5Bytes {
  const header = open(context, address, 8 + 2 * context.lengthSize + context.offsetSize);
  header.signature("HEAP");
  header.skip(4);
  const size = header.uint(context.lengthSize);
  header.skip(context.lengthSize);
  if (size < 0 || size > 1 << 26) header.fail(`a heap of ${size} bytes for names cannot be true`);
  return open(context, header.uint(context.offsetSize), size);
}

function readTree(
  context: Hdf5Context,
  address: number,
  heap: Hdf5Bytes,
  links: Map<string, number>,
  seen: Set<number>,
  expected?: number,
): void {
  const { offsetSize, lengthSize } = context;
  const header = open(context, address, 8 + 2 * offsetSize);
  if (seen.has(address)) header.fail("a tree of names leads back to itself");
  seen.add(address);
  header.signature("TREE");
  if (header.u8() !== 0) header.fail("expected a tree of names");
  const level = header.u8();
  if (expected !== undefined && level !== expected) header.fail(`expected a node of level ${expected}, got ${level}`);
  const count = header.u16();
  const body = open(context, address + 8 + 2 * offsetSize, count * (lengthSize + offsetSize) + lengthSize);
  for (let index = 0; index < count; index++) {
    body.skip(lengthSize);
    const child = body.uint(offsetSize);
    if (level > 0) readTree(context, child, heap, links, seen, level - 1);
    else readSymbols(context, child, heap, links, seen);
  }
}

function readSymbols(
  context: Hdf5Context,
  address: number,
  heap: Hdf5Bytes,
  links: Map<string, number>,
  seen: Set<number>,
): void {
  const header = open(context, address, 8);
  if (seen.has(address)) header.fail("a node of names is there twice");
  seen.add(address);
  header.signature("SNOD");
  header.skip(2);
  const count = header.u16();
  const body = open(context, address + 8, count * (2 * context.offsetSize + 24));
  for (let index = 0; index < count; index++) {
    const nameAt = body.uint(context.offsetSize);
    const target = body.uint(context.offsetSize);
    if (body.u32() === 2) body.fail("soft links are not followed");
    body.skip(20);
    if (nameAt < 0 || nameAt >= heap.bytes.byteLength)
      body.fail(`a name at ${nameAt} of a heap of ${heap.bytes.byteLength} bytes`);
    heap.at = nameAt;
    const name = heap.textUpToZero();
    context.count("text", name.length, `byte ${heap.start + nameAt}`);
    links.set(name, target);
  }
}

function readLink(context: Hdf5Context, body: Hdf5Bytes): [string, number] {
  if (body.u8() !== 1) body.fail("expected a link of version 1");
  const flags = body.u8();
  const kind = (flags & 8) === 0 ? 0 : body.u8();
  if ((flags & 4) !== 0) body.skip(8);
  if ((flags & 16) !== 0) body.skip(1);
  const name = new TextDecoder().decode(body.take(body.uint(1 << (flags & 3))));
  if (kind !== 0) body.fail(`"${name}" is a soft or external link, which is not followed`);
  return [name, body.uint(context.offsetSize)];
}
