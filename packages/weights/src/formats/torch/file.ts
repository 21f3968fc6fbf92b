import { ByteCursor } from "../../bytes/byte-cursor.ts";
import { windowOf } from "../../bytes/byte-source.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { checkedCount, decodeElements, dtypeBytes, floatParts } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType, TensorData } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { readZip } from "../../bytes/zip-reader.ts";
import type { ZipEntry } from "../../bytes/zip-reader.ts";
import { PickleGlobal, readPickle } from "./pickle.ts";
import type { PickleValue, PickleWorld } from "./pickle.ts";

/** A storage as the pickle names it. The position of its bytes is known only after the whole file is scanned. */
interface Storage {
  readonly key: string;
  readonly dtype: StoredType;
  readonly count: number;
}

interface StridedTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: number[];
  readonly strides: number[];
}

const storageTypes: Readonly<Record<string, StoredType>> = {
  "torch.DoubleStorage": "float64",
  "torch.FloatStorage": "float32",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.LongStorage": "int64",
  "torch.IntStorage": "int32",
  "torch.ShortStorage": "int16",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
};

const containers = new Set(["collections.OrderedDict", "torch.Size", "builtins.set", "__builtin__.set"]);
const tensorMakers = new Set(["torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"]);
/** Classes of other values in checkpoints. The reader drops these values. */
const inert = new Set([
  "_codecs.encode",
  "argparse.Namespace",
  "builtins.int",
  "__builtin__.int",
  "__builtin__.long",
  "numpy._core.multiarray.scalar",
  "numpy.core.multiarray.scalar",
  "numpy.dtype",
  "torch.device",
  ...["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (dtype) => `torch.${dtype}`,
  ),
]);
const parameterMaker = "torch._utils._rebuild_parameter";
const pairLimit = 1_000_000;
/** Limit on the elements of a tensor that repeats elements of its storage (`expand`). */
const expandedLimit = 1 << 20;
const legacyMagic = 0x1950a86a20f9469cfc6cn;

/**
 * Reads the state dict of a PyTorch file, in the zip container (1.6 and later) or the older one. The pickle reader
 * accepts only an allow-list of classes and never runs code. Also finds the state dict inside a checkpoint with an
 * optimiser and an epoch.
 */
export async function readTorchFile(source: ByteSource): Promise<{ tensors: NamedTensor[] }> {
  const isZip = source.size >= 4 && Buffer.from(source.read(0, 4)).toString("latin1") === "PK\x03\x04";
  return { tensors: isZip ? readZipContainer(source.file, await readZip(source)) : readLegacyContainer(source) };
}

function readZipContainer(file: string, entries: ReadonlyMap<string, ZipEntry>): NamedTensor[] {
  const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || pickle === undefined) {
    throw new WeightsError(
      file,
      "",
      "expected an entry <name>/data.pkl: this zip archive was not written by torch.save",
    );
  }
  const root = pickleName.slice(0, -"data.pkl".length);
  const order = entries.get(`${root}byteorder`);
  const bigEndian =
    order !== undefined && order.size < 16 && new ByteCursor(order.open()).text(order.size).trim() === "big";
  const state = stateDict(file, readPickle(new ByteCursor(pickle.open()), torchWorld(file)));
  const opened = new Map<string, ByteSource>();
  const bytesOf = (key: string, place: string): ByteSource => {
    const known = opened.get(key) ?? entries.get(`${root}data/${key}`)?.open();
    if (known === undefined) throw new WeightsError(file, place, `its storage ${root}data/${key} is missing`);
    opened.set(key, known);
    return known;
  };
  return state.map(([name, tensor]) => asNamedTensor(file, name, tensor, bytesOf, bigEndian));
}

/**
 * Five pickles (magic, protocol, system, the object, the storages' keys), then each storage: its count in 8 bytes, its
 * elements.
 */
function readLegacyContainer(source: ByteSource): NamedTensor[] {
  const cursor = new ByteCursor(source);
  const world = torchWorld(source.file);
  const fail = (problem: string): never => {
    throw new WeightsError(source.file, `byte ${cursor.position}`, problem);
  };
  if (source.size === 0 || source.read(0, 1)[0] !== 0x80 || readPickle(cursor, world) !== legacyMagic) {
    fail("expected a PyTorch file: a zip archive, or a pickle with torch's magic number");
  }
  if (readPickle(cursor, world) !== 1001) fail("expected version 1001 of the container before PyTorch 1.6");
  const system = readPickle(cursor, world);
  const bigEndian = system instanceof Map && system.get("little_endian") === false;
  const storages = new Map<string, Storage>();
  const state = stateDict(source.file, readPickle(cursor, torchWorld(source.file, storages)));
  const keys = readPickle(cursor, world);
  if (!Array.isArray(keys)) return fail("expected the list of storages");
  const places = new Map<string, ByteSource>();
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined) return fail("a storage belongs to no tensor");
    const count = cursor.u64();
    if (count !== storage.count)
      fail(`storage ${storage.key} has ${count} elements here, but ${storage.count} in the pickle`);
    const bytes = count * dtypeBytes[storage.dtype];
    places.set(storage.key, windowOf(source, cursor.position, bytes, `storage ${storage.key}`));
    cursor.position += bytes;
  }
  const bytesOf = (key: string, place: string): ByteSource => {
    const found = places.get(key);
    if (found === undefined) throw new WeightsError(source.file, place, `its storage ${key} is missing`);
    return found;
  };
  return state.map(([name, tensor]) => asNamedTensor(source.file, name, tensor, bytesOf, bigEndian));
}

/**
 * The allow-list for a state dict's pickle: containers, storage types and the functions that make tensors from
 * storages.
 */
function torchWorld(file: string, storages = new Map<string, Storage>()): PickleWorld {
  const fail = (problem: string): never => {
    throw new WeightsError(file, "pickle", problem);
  };
  let pairs = 0;
  return {
    globals: new Set([
      ...containers,
      ...inert,
      "collections.defaultdict",
      ...tensorMakers,
      parameterMaker,
      ...Object.keys(storageTypes),
    ]),
    call(path, args) {
      if (path === "collections.OrderedDict") {
        const items = (args[0] ?? []) as PickleValue;
        if (!Array.isArray(items)) return fail("an OrderedDict is made of a list of pairs");
        // Many calls may refer to one list, so bound the total work.
        pairs += items.length;
        if (pairs > pairLimit) return fail(`more than ${pairLimit} pairs in its dicts`);
        return new Map(
          items.map((pair) =>
            Array.isArray(pair) && pair.length === 2 ? (pair as [PickleValue, PickleValue]) : fail("a pair is no pair"),
          ),
        );
      }
      if (inert.has(path)) return null;
      if (path === "collections.defaultdict") return new Map();
      if (containers.has(path)) return (args[0] ?? []) as PickleValue;
      if (path === parameterMaker) return (args[0] ?? null) as PickleValue;
      if (tensorMakers.has(path)) return stridedTensor(args, fail);
      return fail(`${path} is not something to call`);
    },
    persistent(id) {
      const [kind, type, key, , count] = Array.isArray(id) ? id : [];
      const dtype = type instanceof PickleGlobal ? storageTypes[type.path] : undefined;
      if (
        kind !== "storage" ||
        dtype === undefined ||
        typeof key !== "string" ||
        typeof count !== "number" ||
        !Number.isSafeInteger(count) ||
        count < 0
      ) {
        return fail("expected a reference to a storage");
      }
      const storage = storages.get(key) ?? { key, dtype, count };
      if (storage.dtype !== dtype || storage.count !== count)
        fail(`storage ${key} is described twice, and differently`);
      storages.set(key, storage);
      return storage;
    },
  };
}

function stridedTensor(args: readonly PickleValue[], fail: (problem: string) => never): StridedTensor {
  const [storage, offset, shape, strides] = args;
  const valid =
    isStorage(storage) &&
    typeof offset === "number" &&
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    checkedCount(shape) !== undefined &&
    checkedCount(strides) !== undefined &&
    (shape as number[]).length === (strides as number[]).length;
  if (!valid) return fail("expected a tensor as storage, offset, shape and strides");
  return { storage, offset, shape: shape as number[], strides: strides as number[] };
}

/**
 * Keys under which training scripts store the state dict of a checkpoint. Averaged weights come last, since
 * checkpoints with them also hold the plain weights.
 */
const stateKeys = [
  "state_dict",
  "model_state_dict",
  "model",
  "module",
  "net",
  "network",
  "model_state",
  "weights",
  "params",
  "state_dict_ema",
  "model_ema",
  "ema_state_dict",
  "ema",
];

/** The tensors of the pickled object by name; other values of the dict (an epoch, an optimiser) are left out. */
function stateDict(file: string, value: PickleValue): [string, StridedTensor][] {
  const entries = value instanceof Map ? [...(value as Map<PickleValue, PickleValue>)] : [];
  const inner = new Map(entries.map(([key, part]) => [key, tensorsOf(part)]));
  for (const key of stateKeys) {
    const tensors = inner.get(key) ?? [];
    if (tensors.length > 0) return tensors;
  }
  const own = tensorsOf(value);
  if (own.length > 0) return own;
  const others = [...inner].filter(([, tensors]) => tensors.length > 0);
  if (others.length === 1) return others[0]![1];
  const names = others.map(([key]) => (typeof key === "string" ? `"${key}"` : "one without a name"));
  throw new WeightsError(
    file,
    "pickle",
    `expected a dict of tensors (torch.save(model.state_dict(), …))${names.length === 0 ? "" : `, got several: ${names.join(", ")}`}`,
  );
}

function tensorsOf(value: PickleValue): [string, StridedTensor][] {
  if (!(value instanceof Map)) return [];
  return [...(value as Map<PickleValue, PickleValue>)].filter(
    (pair): pair is [string, StridedTensor] => typeof pair[0] === "string" && isTensor(pair[1]),
  );
}

function asNamedTensor(
  file: string,
  name: string,
  { storage, offset, shape, strides }: StridedTensor,
  bytesOf: (key: string, place: string) => ByteSource,
  bigEndian: boolean,
): NamedTensor {
  const place = `tensor "${name}"`;
  const count = shape.reduce((product, size) => product * size, 1);
  const last = count === 0 ? offset - 1 : shape.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, offset);
  if (last >= storage.count || count > Math.max(storage.count, expandedLimit)) {
    throw new WeightsError(
      file,
      place,
      `shape [${shape}] with strides [${strides}] at ${offset} leaves its storage of ${storage.count} elements`,
    );
  }
  const size = dtypeBytes[storage.dtype];
  const bytes = bytesOf(storage.key, place);
  if (bytes.size < storage.count * size) {
    throw new WeightsError(
      file,
      place,
      `its storage should have ${storage.count} elements of ${storage.dtype}, but has ${bytes.size} bytes`,
    );
  }
  const read = (): TensorData => {
    const span = last - offset + 1;
    const elements = decodeElements(bytes.read(offset * size, span * size), storage.dtype, file, place, { bigEndian });
    return isContiguous(shape, strides) ? elements : gather(elements, shape, strides, count);
  };
  const tensor: NamedTensor = { name, shape, dtype: storage.dtype, place, read };
  const inOrder = storage.dtype === "float32" && !bigEndian && isContiguous(shape, strides);
  return inOrder ? { ...tensor, readPart: floatParts(bytes, offset * size) } : tensor;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function gather(elements: TensorData, shape: readonly number[], strides: readonly number[], count: number): TensorData {
  const out = emptyLike(elements, count);
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    out[i] = elements[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function emptyLike(elements: TensorData, count: number): TensorData {
  if (elements instanceof Float32Array) return new Float32Array(count);
  return elements instanceof Int32Array ? new Int32Array(count) : new Uint8Array(count);
}

function isStorage(value: unknown): value is Storage {
  return typeof value === "object" && value !== null && "key" in value && "dtype" in value && "count" in value;
}

function isTensor(value: unknown): value is StridedTensor {
  return typeof value === "object" && value !== null && "storage" in value && "strides" in value;
}
