import { byCodePoints, concatBytes, latin1Bytes, utf8Bytes } from "../../bytes/encoding.ts";
import type { ByteSink } from "@convkit/files";
import { dtypeBytes } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { dataTypeMessage, typeAttributes, variableTextType } from "./written-types.ts";

/** A group to write. Its attributes are texts or lists of texts; Keras' files need no others. */
export interface GroupToWrite {
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
  readonly children: ReadonlyMap<string, GroupToWrite | NamedTensor>;
}

/**
 * Entries per leaf, and children per node, of a group's tree: twice the superblock's values, which are HDF5's
 * defaults.
 */
const leafSize = 8;
const nodeSize = 32;
const heapCount = 50_000;
const undefinedAddress = 0xffff_ffff_ffff_ffffn;

/** One piece of the file: bytes, or a tensor that is read when it is written. */
type Segment = Uint8Array | NamedTensor;

/**
 * Writes an HDF5 file as every version of the library since 1.0 reads it: superblock 0, symbol tables, contiguous
 * data.
 */
export function writeHdf5(sink: ByteSink, root: GroupToWrite): void {
  const segments: Segment[] = [];
  let end = superblockSize;
  const place = (segment: Segment, size: number): number => {
    const at = end;
    segments.push(segment);
    end += size;
    return at;
  };
  const placeBytes = (bytes: Uint8Array): number => place(bytes, bytes.byteLength);
  const textReference = placeTexts(root, placeBytes);

  const placeTensor = (tensor: NamedTensor): number => {
    const bytes = storedBytes(tensor);
    const padding = -bytes & 7;
    // The data follow the header; the header's size does not depend on their address.
    const header = (address: number): Uint8Array =>
      objectHeader([
        [0x01, spaceMessage(tensor.shape)],
        [0x03, dataTypeMessage(tensor.name, tensor.dtype)],
        // A fill value message: late allocation, fill value written if set, none defined.
        [0x05, Uint8Array.of(2, 2, 2, 1, 0, 0, 0, 0)],
        [0x08, layoutMessage(address, bytes)],
        ...attributeMessages(typeAttributes(tensor.dtype), textReference),
      ]);
    const at = end;
    placeBytes(header(at + header(0).byteLength));
    place(tensor, bytes);
    if (padding > 0) placeBytes(new Uint8Array(padding));
    return at;
  };

  const placeGroup = (group: GroupToWrite): { header: number; tree: number; heap: number } => {
    const names = [...group.children.keys()].toSorted(byCodePoints);
    const addresses = names.map((name) => {
      const child = group.children.get(name)!;
      return "children" in child ? placeGroup(child).header : placeTensor(child);
    });
    const { bytes: heapBytes, offsets } = nameHeap(names);
    const heapData = placeBytes(heapBytes);
    const heap = placeBytes(fields(["HEAP", 4], [0, 4], [heapBytes.byteLength, 8], [1, 8], [heapData, 8]));
    const tree = placeTree(offsets, addresses, placeBytes);
    const attributes = attributeMessages(group.attributes, textReference);
    const header = placeBytes(objectHeader([[0x11, fields([tree, 8], [heap, 8])], ...attributes]));
    return { header, tree, heap };
  };

  const { header, tree, heap } = placeGroup(root);
  sink.write(superblock(end, header, tree, heap));
  for (const segment of segments) {
    if (segment instanceof Uint8Array) sink.write(segment);
    else {
      sink.write(segment.readBytes());
    }
  }
}

const superblockSize = 96;

function superblock(end: number, root: number, tree: number, heap: number): Uint8Array {
  return fields(
    ["\x89HDF\r\n\x1a\n", 8],
    [0, 5],
    [8, 1],
    [8, 1],
    [0, 1],
    [leafSize / 2, 2],
    [nodeSize / 2, 2],
    [0, 4],
    [0, 8],
    [undefinedAddress, 8],
    [end, 8],
    [undefinedAddress, 8],
    [0, 8],
    [root, 8],
    [1, 8],
    [tree, 8],
    [heap, 8],
  );
}

type Message = readonly [type: number, body: Uint8Array];

/** An object header of version 1 with all its messages in one block. */
function objectHeader(messages: readonly Message[]): Uint8Array {
  const parts = messages.flatMap(([type, body]) => {
    const size = Math.ceil(body.byteLength / 8) * 8;
    return [fields([type, 2], [size, 2], [type === 0x03 ? 1 : 0, 4]), body, new Uint8Array(size - body.byteLength)];
  });
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return concatBytes([fields([1, 2], [messages.length, 2], [1, 4], [size, 4], [0, 4]), ...parts]);
}

function spaceMessage(shape: readonly number[]): Uint8Array {
  return fields([1, 1], [shape.length, 1], [0, 6], ...shape.map((size) => [size, 8] as const));
}

function layoutMessage(address: number, bytes: number): Uint8Array {
  return fields([3, 1], [1, 1], [bytes === 0 ? undefinedAddress : address, 8], [bytes, 8]);
}

function attributeMessages(
  attributes: GroupToWrite["attributes"],
  textReference: (text: string) => Uint8Array,
): Message[] {
  return Object.entries(attributes).map(([name, value]) => [0x0c, attributeMessage(name, value, textReference)]);
}

function attributeMessage(
  name: string,
  value: string | readonly string[],
  textReference: (text: string) => Uint8Array,
): Uint8Array {
  const encoded = utf8Bytes(`${name}\0`);
  const space = spaceMessage(typeof value === "string" ? [] : [value.length]);
  const texts = (typeof value === "string" ? [value] : value).map(textReference);
  return concatBytes([
    fields([1, 2], [encoded.byteLength, 2], [variableTextType.byteLength, 2], [space.byteLength, 2]),
    padded(encoded),
    padded(variableTextType),
    padded(space),
    ...texts,
  ]);
}

/** Writes the texts of all attributes to global heaps; returns a function that gives a text's reference. */
function placeTexts(root: GroupToWrite, place: (bytes: Uint8Array) => number): (text: string) => Uint8Array {
  const texts = new Set<string>();
  const walk = (group: GroupToWrite): void => {
    for (const value of Object.values(group.attributes)) for (const text of [value].flat()) texts.add(text);
    for (const child of group.children.values()) {
      if ("children" in child) walk(child);
      else for (const text of Object.values(typeAttributes(child.dtype))) texts.add(text);
    }
  };
  walk(root);
  const references = new Map<string, Uint8Array>();
  const all = [...texts];
  for (let start = 0; start < all.length; start += heapCount) {
    const part = all.slice(start, start + heapCount).map((text) => utf8Bytes(text));
    const objects = part.flatMap((bytes, index) => [
      fields([index + 1, 2], [1, 2], [0, 4], [bytes.byteLength, 8]),
      padded(bytes),
    ]);
    const used = 16 + objects.reduce((sum, bytes) => sum + bytes.byteLength, 0);
    // The library rejects heaps below 4096 bytes. Object 0 marks the unused space.
    const size = Math.max(4096, Math.ceil((used + 16) / 4096) * 4096);
    const free = [fields([0, 8], [size - used, 8]), new Uint8Array(size - used - 16)];
    const address = place(concatBytes([fields(["GCOL", 4], [1, 4], [size, 8]), ...objects, ...free]));
    for (const [index, bytes] of part.entries()) {
      references.set(all[start + index]!, fields([bytes.byteLength, 4], [address, 8], [index + 1, 4]));
    }
  }
  return (text) => references.get(text)!;
}

/** The heap of a group's names, each zero-terminated and padded. The first name is empty, as the tree requires. */
function nameHeap(names: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  const parts: Uint8Array[] = [new Uint8Array(8)];
  let at = 8;
  const offsets = names.map((name) => {
    const bytes = padded(utf8Bytes(`${name}\0`));
    parts.push(bytes);
    at += bytes.byteLength;
    return at - bytes.byteLength;
  });
  return { bytes: concatBytes(parts), offsets };
}

/** The tree of a group over its sorted names; returns the root's address. */
function placeTree(
  offsets: readonly number[],
  addresses: readonly number[],
  place: (bytes: Uint8Array) => number,
): number {
  // The address of each node and the last name below it.
  let nodes: { address: number; last: number }[] = [];
  for (let start = 0; start < offsets.length; start += leafSize) {
    const part = offsets.slice(start, start + leafSize);
    const entries = part.map((offset, index) => fields([offset, 8], [addresses[start + index]!, 8], [0, 24]));
    const empty = new Uint8Array((leafSize - part.length) * 40);
    nodes.push({
      address: place(concatBytes([fields(["SNOD", 4], [1, 2], [part.length, 2]), ...entries, empty])),
      last: part.at(-1)!,
    });
  }
  for (let level = 0; ; level++) {
    const groups = Array.from({ length: Math.max(1, Math.ceil(nodes.length / nodeSize)) }, (_, index) =>
      nodes.slice(index * nodeSize, (index + 1) * nodeSize),
    );
    const start = groups.map((group, index) => (index === 0 ? 0 : groups[index - 1]!.at(-1)!.last));
    // Nodes store their siblings' addresses, which follow from the fixed node size.
    const first = place(new Uint8Array(0));
    const above = groups.map((group, index) => {
      const sibling = (other: number): number | bigint =>
        other < 0 || other >= groups.length ? undefinedAddress : first + other * treeBytes;
      const body = group.flatMap(({ address, last }) => [fields([address, 8]), fields([last, 8])]);
      const head = fields(
        ["TREE", 4],
        [0, 1],
        [level, 1],
        [group.length, 2],
        [sibling(index - 1), 8],
        [sibling(index + 1), 8],
        [start[index]!, 8],
      );
      const bytes = concatBytes([head, ...body]);
      return {
        address: place(concatBytes([bytes, new Uint8Array(treeBytes - bytes.byteLength)])),
        last: group.at(-1)?.last ?? 0,
      };
    });
    if (above.length === 1) return above[0]!.address;
    nodes = above;
  }
}

const treeBytes = 24 + nodeSize * 8 + (nodeSize + 1) * 8;

function storedBytes({ shape, dtype }: NamedTensor): number {
  return shape.reduce((product, side) => product * side, dtypeBytes[dtype]);
}

function padded(bytes: Uint8Array): Uint8Array {
  return concatBytes([bytes, new Uint8Array(-bytes.byteLength & 7)]);
}

/** Encodes little-endian numbers or texts, each in the given number of bytes. */
function fields(...values: readonly (readonly [value: number | bigint | string, size: number])[]): Uint8Array {
  const out = new Uint8Array(values.reduce((sum, [, size]) => sum + size, 0));
  let at = 0;
  for (const [value, size] of values) {
    if (typeof value === "string") out.set(latin1Bytes(value), at);
    else {
      let rest = BigInt(value);
      for (let i = 0; i < size; i++, rest >>= 8n) out[at + i] = Number(rest & 0xffn);
    }
    at += size;
  }
  return out;
}
