import { concatBytes, latin1Text } from "../bytes/encoding.ts";
import protobuf from "protobufjs";
import type { ByteSource, FileFolder } from "../bytes/byte-source.ts";
import { checkedCount, dtypeBytes, storedTensor } from "../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../bytes/named-tensor.ts";
import { WeightsError } from "../weights-error.ts";

/**
 * The messages of TensorFlow's checkpoints that are read. Sources: tensorflow/core/protobuf/tensor_bundle.proto,
 * trackable_object_graph.proto
 */
const source = `
syntax = "proto3";
message Header { int32 num_shards = 1; int32 endianness = 2; }
message Entry { int32 dtype = 1; Shape shape = 2; int32 shard_id = 3; int64 offset = 4; int64 size = 5; }
message Shape { message Dim { int64 size = 1; } repeated Dim dim = 2; }
message ObjectGraph { repeated Node nodes = 1; }
message Node { repeated Child children = 1; repeated Attribute attributes = 2; }
message Child { int32 node_id = 1; string local_name = 2; }
message Attribute { string name = 1; string full_name = 2; string checkpoint_key = 3; }
`;
const root = protobuf.parse(source, { keepCase: true }).root;

const dtypes: Readonly<Record<number, StoredType>> = {
  1: "float32",
  2: "float64",
  3: "int32",
  4: "uint8",
  6: "int8",
  9: "int64",
  14: "bfloat16",
  19: "float16",
};

const indexLimit = 1 << 26;

/** An object of a checkpoint: what it holds by name, and the key of its value if it is a variable. */
export interface CheckpointNode {
  readonly children: ReadonlyMap<string, number>;
  readonly key: string | undefined;
}

export interface TensorBundle {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly nodes: readonly CheckpointNode[];
  close(): void;
}

/** Opens a checkpoint of TensorFlow in a folder: `<prefix>.index`, `<prefix>.data-00000-of-00001`. */
export function openTensorBundle(folder: FileFolder, prefix: string): TensorBundle {
  const opened: ByteSource[] = [];
  const open = (path: string): ByteSource => {
    const one = folder.open(path);
    opened.push(one);
    return one;
  };
  const close = (): void => opened.forEach((one) => one.close());
  try {
    const index = open(`${prefix}.index`);
    const { file } = index;
    if (index.size > indexLimit) throw new WeightsError(file, "", `an index of ${index.size} bytes is too large`);
    const entries = readTable(file, index.read(0, index.size));
    const shards = Number(decode(file, "Header", entries.get("") ?? new Uint8Array(0))["num_shards"] ?? 1);
    if (!(shards >= 1 && shards <= 1000))
      throw new WeightsError(file, "", `expected 1 to 1000 files of data, got ${shards}`);
    const data = new Map<number, ByteSource>();
    const shard = (id: number): ByteSource => {
      if (!(id >= 0 && id < shards)) throw new WeightsError(file, "", `names file ${id} of ${shards}`);
      const five = (value: number): string => String(value).padStart(5, "0");
      const known = data.get(id) ?? open(`${prefix}.data-${five(id)}-of-${five(shards)}`);
      data.set(id, known);
      return known;
    };
    const tensors = new Map<string, NamedTensor>();
    let nodes: CheckpointNode[] = [];
    for (const [key, bytes] of entries) {
      if (key === "") continue;
      const entry = decode(file, "Entry", bytes) as unknown as Entry;
      const { offset = 0, size = 0, shard_id: id = 0 } = entry;
      if (key === "_CHECKPOINTABLE_OBJECT_GRAPH") nodes = objectGraph(file, shard(id), offset, size);
      const dtype = dtypes[entry.dtype];
      if (dtype !== undefined) tensors.set(key, tensorOf(file, key, { ...entry, offset, size }, dtype, shard(id)));
    }
    return { tensors, nodes, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Entry {
  readonly dtype: number;
  readonly shape?: { readonly dim?: readonly { readonly size?: number }[] };
  readonly shard_id?: number;
  readonly offset?: number;
  readonly size?: number;
}

function decode(file: string, name: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const type = root.lookupType(name);
    return type.toObject(type.decode(bytes), { longs: Number });
  } catch (error) {
    throw new WeightsError(file, name, `is no checkpoint: ${(error as Error).message}`, { cause: error });
  }
}

function tensorOf(file: string, name: string, entry: Entry, dtype: StoredType, data: ByteSource): NamedTensor {
  const shape = (entry.shape?.dim ?? []).map(({ size = 0 }) => size);
  const count = checkedCount(shape);
  const size = entry.size ?? 0;
  if (count === undefined || count * dtypeBytes[dtype] !== size || entry.offset! + size > data.size)
    throw new WeightsError(
      file,
      `tensor "${name}"`,
      `[${shape.join(", ")}] of ${dtype} does not fit ${size} bytes from byte ${entry.offset} of ${data.size}`,
    );
  return storedTensor(file, {
    name,
    shape,
    dtype,
    place: `tensor "${name}"`,
    readBytes: () => data.read(entry.offset!, size),
  });
}

/** The graph of objects is stored as a tensor of one string: its length, a checksum, its bytes. */
function objectGraph(file: string, data: ByteSource, offset: number, size: number): CheckpointNode[] {
  if (size > indexLimit) throw new WeightsError(file, "the graph of objects", `of ${size} bytes is too large`);
  const bytes = data.read(offset, size);
  const { value, next } = varint(file, bytes, 0);
  const start = next + 4;
  if (start + value > bytes.byteLength) throw new WeightsError(file, "the graph of objects", "is cut off");
  const { nodes = [] } = decode(file, "ObjectGraph", bytes.subarray(start, start + value)) as {
    nodes?: { children?: { node_id?: number; local_name?: string }[]; attributes?: { checkpoint_key?: string }[] }[];
  };
  return nodes.map(({ children = [], attributes = [] }) => ({
    children: new Map(children.map(({ node_id: id = 0, local_name: name = "" }) => [name, id])),
    key: attributes[0]?.checkpoint_key,
  }));
}

function varint(file: string, bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  throw new WeightsError(file, `byte ${at}`, "expected a number of at most 8 bytes");
}

const footerSize = 48;
const magic = 0xdb4775248b80fb57n;

/** The entries of a table of LevelDB's format, uncompressed, as TensorFlow writes it. */
function readTable(file: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < footerSize || view.getBigUint64(bytes.byteLength - 8, true) !== magic)
    throw new WeightsError(file, "", "is no index of a checkpoint");
  const footer = bytes.byteLength - footerSize;
  const meta = handle(file, bytes, footer);
  const index = handle(file, bytes, meta.next);
  const entries = new Map<string, Uint8Array>();
  for (const [, block] of blockEntries(file, bytes, index))
    for (const [key, value] of blockEntries(file, bytes, handle(file, block, 0))) entries.set(key, value);
  return entries;
}

function handle(file: string, bytes: Uint8Array, at: number): { offset: number; size: number; next: number } {
  const offset = varint(file, bytes, at);
  const size = varint(file, bytes, offset.next);
  return { offset: offset.value, size: size.value, next: size.next };
}

function* blockEntries(
  file: string,
  bytes: Uint8Array,
  { offset, size }: { offset: number; size: number },
): Generator<[string, Uint8Array]> {
  if (offset + size + 5 > bytes.byteLength)
    throw new WeightsError(file, `byte ${offset}`, "a block ends after the file");
  if (bytes[offset + size] !== 0)
    throw new WeightsError(file, `byte ${offset}`, "expected an index without compression");
  const block = bytes.subarray(offset, offset + size);
  const restarts = new DataView(block.buffer, block.byteOffset, size).getUint32(size - 4, true);
  const end = size - 4 - 4 * restarts;
  let key = new Uint8Array(0);
  for (let at = 0; at < end;) {
    const shared = varint(file, block, at);
    const own = varint(file, block, shared.next);
    const length = varint(file, block, own.next);
    const start = own.value + length.next;
    if (shared.value > key.byteLength || start + length.value > end)
      throw new WeightsError(file, `byte ${offset + at}`, "an entry ends after its block");
    key = concatBytes([key.subarray(0, shared.value), block.subarray(length.next, start)]);
    yield [latin1Text(key), block.subarray(start, start + length.value)];
    at = start + length.value;
  }
}
