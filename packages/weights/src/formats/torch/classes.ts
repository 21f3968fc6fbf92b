import { latin1Bytes } from "../../bytes/encoding.ts";
import { memorySource } from "../../bytes/byte-source.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { checkedCount, dtypeBytes } from "../../bytes/named-tensor.ts";
import type { StoredType } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { NumpyArray, numpyTensor, NumpyType } from "./numpy.ts";
import { PickleGlobal, PickleObject } from "./pickle.ts";
import type { PickleValue, PickleWorld } from "./pickle.ts";
import { quantizedTensor } from "./quantized.ts";
import { sparseTensor } from "./sparse.ts";
import { Storage, StridedTensor, UnreadTensor } from "./stored-tensor.ts";

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
  "torch.ComplexFloatStorage": "complex64",
  "torch.ComplexDoubleStorage": "complex128",
  "torch.QInt8Storage": "int8",
  "torch.QUInt8Storage": "uint8",
  "torch.QInt32Storage": "int32",
  "torch.storage.UntypedStorage": "uint8",
};

/** Names of `torch.dtype` that differ from ours. */
const torchTypes: Readonly<Record<string, StoredType>> = {
  "torch.double": "float64",
  "torch.float": "float32",
  "torch.half": "float16",
  "torch.long": "int64",
  "torch.int": "int32",
  "torch.short": "int16",
};

/** Functions that make tensors of kinds that are not read, and what to do about them. */
const unreadKinds: Readonly<Record<string, string>> = {
  "torch._utils._rebuild_nested_tensor": "is a nested tensor: save its parts",
  "torch._utils._rebuild_meta_tensor_no_storage": "is a meta tensor, which has no numbers: save the loaded model",
  "torch._utils._rebuild_wrapper_subclass": "is a tensor of a class of its own: save a plain tensor",
};

const tensorMakers = new Set(["torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"]);
const parameterMakers = new Set([
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch._utils._rebuild_device_tensor_from_numpy",
  "torch._utils._rebuild_device_tensor_from_cpu_tensor",
  "torch._utils._rebuild_xla_tensor",
]);
const sparseMakers = new Set(["torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_sparse_csr_tensor"]);
const subclassMakers = new Set(["torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2"]);
/** Containers that are made of one list of their items. */
const lists = new Set([
  "torch.Size",
  ...["set", "frozenset", "list", "tuple"].flatMap((name) => [`builtins.${name}`, `__builtin__.${name}`]),
  "collections.deque",
]);
const sameAsArgument = new Set([
  "torch.jit._pickle.build_intlist",
  "torch.jit._pickle.build_doublelist",
  "torch.jit._pickle.build_boollist",
  "torch.jit._pickle.build_tensorlist",
  "torch.jit._pickle.restore_type_tag",
  "torch.serialization._get_layout",
  "builtins.bytearray",
  "__builtin__.bytearray",
]);
const pairLimit = 1_000_000;

export interface TorchWorld extends PickleWorld {
  /** The storages that the pickle refers to, by key. */
  readonly storages: ReadonlyMap<string, Storage>;
  /** The classes of the pickle that are not known, whose objects are only looked through. */
  readonly unknown: ReadonlySet<string>;
}

/**
 * What the classes of a checkpoint's pickle become: containers, storages, tensors and NumPy arrays. Objects of all
 * other classes stay inert. `nested` reads the storage of a tensor that `pickle` wrote without `torch.save`.
 */
export function torchWorld(file: string, nested?: (bytes: ByteSource) => Storage): TorchWorld {
  const fail = (problem: string): never => {
    throw new WeightsError(file, "pickle", problem);
  };
  const storages = new Map<string, Storage>();
  const unknown = new Set<string>();
  let pairs = 0;
  const dict = (items: PickleValue): PickleValue => {
    if (items instanceof Map) return new Map(items);
    if (!Array.isArray(items)) return fail("an OrderedDict is made of a list of pairs");
    // Many calls may refer to one list, so bound the total work.
    pairs += items.length;
    if (pairs > pairLimit) return fail(`more than ${pairLimit} pairs in its dicts`);
    return new Map(
      items.map((pair) =>
        Array.isArray(pair) && pair.length === 2 ? (pair as [PickleValue, PickleValue]) : fail("a pair is no pair"),
      ),
    );
  };
  const call = (path: string, args: readonly PickleValue[]): PickleValue => {
    const [first = null, second = null, third = null] = args;
    if (path === "collections.OrderedDict" || path === "builtins.dict") return dict(first ?? []);
    if (path === "collections.defaultdict") return new Map();
    if (lists.has(path)) return Array.isArray(first) ? first : [];
    if (sameAsArgument.has(path) || parameterMakers.has(path)) return first;
    if (tensorMakers.has(path)) return stridedTensor(args, undefined, fail);
    if (path === "torch._utils._rebuild_tensor_v3") {
      const dtype = typeOf(args[6]);
      return dtype === undefined
        ? new UnreadTensor(`has elements of ${pathOf(args[6])}`)
        : stridedTensor(args, dtype, fail);
    }
    if (sparseMakers.has(path)) return sparseTensor(file, first, second);
    if (path === "torch._utils._rebuild_qtensor") {
      const elements = stridedTensor(args.slice(0, 4), undefined, fail);
      return elements instanceof StridedTensor ? quantizedTensor(file, elements, args[4]) : elements;
    }
    if (subclassMakers.has(path) && first instanceof PickleGlobal && Array.isArray(third))
      return call(first.path, third);
    const unread = Object.hasOwn(unreadKinds, path) ? unreadKinds[path] : undefined;
    if (unread !== undefined) return new UnreadTensor(`${unread} (${path})`);
    if (path === "torch.storage._load_from_bytes" && first instanceof Uint8Array && nested !== undefined)
      return nested(memorySource(first, file));
    if (path === "_codecs.encode" && typeof first === "string") return latin1Bytes(first);
    if (/^numpy\.(_core|core)\.multiarray\._reconstruct$/.test(path)) return new NumpyArray(file);
    if (path === "numpy.dtype") return new NumpyType(args);
    if (/^numpy\.(_core|core)\.numeric\._frombuffer$/.test(path))
      return numpyTensor(file, { bytes: first, type: second, shape: third, isFortran: args[3] === "F" });
    if (/^copy_?reg\._reconstructor$/.test(path) && first instanceof PickleGlobal) return new PickleObject(first.path);
    unknown.add(path);
    return new PickleObject(path, args);
  };
  return {
    storages,
    unknown,
    call,
    persistent(id) {
      const [kind, type, key, , count, view = null] = Array.isArray(id) ? id : [];
      // Before 1.6 a module's class comes with its source code, which is not needed.
      if (kind === "module" && type instanceof PickleGlobal) return type;
      const path = pathOf(type);
      if (
        kind !== "storage" ||
        !(type instanceof PickleGlobal) ||
        (typeof key !== "string" && typeof key !== "number") ||
        typeof count !== "number" ||
        !Number.isSafeInteger(count) ||
        count < 0
      ) {
        return fail("expected a reference to a storage");
      }
      if (view !== null)
        return fail(`storage ${key} is a view of another storage, which PyTorch 0.3 wrote: save it again`);
      const dtype = Object.hasOwn(storageTypes, path) ? storageTypes[path] : undefined;
      if (dtype === undefined) return new PickleObject(path);
      const name = String(key);
      const storage = new Storage(name, dtype, count);
      const known = storages.get(name) ?? storage;
      if (known.size !== storage.size) fail(`storage ${name} is described twice, and differently`);
      storages.set(name, known);
      return known.dtype === dtype ? known : storage;
    },
  };
}

function pathOf(type: PickleValue | undefined): string {
  return type instanceof PickleGlobal ? type.path : "an unknown type";
}

function typeOf(type: PickleValue | undefined): StoredType | undefined {
  const path = pathOf(type);
  const own = Object.hasOwn(torchTypes, path) ? torchTypes[path]! : path.replace(/^torch\./, "");
  return Object.hasOwn(dtypeBytes, own) ? (own as StoredType) : undefined;
}

function stridedTensor(
  args: readonly PickleValue[],
  dtype: StoredType | undefined,
  fail: (problem: string) => never,
): StridedTensor | UnreadTensor {
  const [storage, offset, shape, strides] = args;
  if (storage instanceof PickleObject) return new UnreadTensor(`has elements of ${storage.path}`);
  const valid =
    storage instanceof Storage &&
    typeof offset === "number" &&
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    checkedCount(shape) !== undefined &&
    checkedCount(strides) !== undefined &&
    (shape as number[]).length === (strides as number[]).length;
  if (!valid) return fail("expected a tensor as storage, offset, shape and strides");
  const lazy = args.at(-1);
  if (lazy instanceof Map && [...lazy.values()].includes(true))
    return new UnreadTensor("is a lazily conjugated or negated tensor: save it with .resolve_conj().resolve_neg()");
  return new StridedTensor(storage, dtype ?? storage.dtype, offset, shape as number[], strides as number[]);
}
