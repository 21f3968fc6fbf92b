import { checkedCount, countOf } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../../bytes/named-tensor.ts";
import { WeightsError } from "../../weights-error.ts";
import { sizeOf } from "./composed-tensor.ts";
import type { ComposedTensor } from "./composed-tensor.ts";
import type { PickleValue } from "./pickle.ts";
import { StridedTensor, UnreadTensor } from "./stored-tensor.ts";

/** Limit on the bytes of a dense tensor: a few bytes of the file can ask for any number of zeros. */
const denseLimit = 1 << 29;

/**
 * A sparse tensor of PyTorch as a dense one: coordinates (COO), compressed rows or columns (CSR, CSC), or those of blocks
 * (BSR, BSC). `data` has the indices, the values and the shape.
 */
export function sparseTensor(file: string, layout: PickleValue, data: PickleValue): ComposedTensor | UnreadTensor {
  const parts = Array.isArray(data) ? data : [];
  const isCoordinates = layout === "torch.sparse_coo";
  const form = typeof layout === "string" ? compressedForms[layout] : undefined;
  if (!isCoordinates && form === undefined)
    return new UnreadTensor(`is a sparse tensor of layout ${String(layout)}: save it with .to_dense()`);
  const tensors = parts.slice(0, isCoordinates ? 2 : 3);
  const shape = parts[tensors.length];
  const count = checkedCount(shape);
  if (count === undefined || !tensors.every((part) => part instanceof StridedTensor))
    throw new WeightsError(file, "pickle", "expected a sparse tensor as indices, values and shape");
  const values = tensors.at(-1)!;
  const bytes = count * sizeOf(values.dtype);
  if (bytes > denseLimit)
    return new UnreadTensor(`is a sparse tensor of ${bytes} bytes, more than ${denseLimit}: save it with .to_dense()`);
  if (form !== undefined && (values.shape.length !== (form.isBlocked ? 3 : 1) || (shape as number[]).length !== 2))
    return new UnreadTensor("is a batch of sparse matrices: save it with .to_dense()");
  const sizes = shape as readonly number[];
  const places = (read: readonly NamedTensor[], fail: Fail): Places =>
    form === undefined ? coordinates(sizes, read, fail) : compressed(sizes, form, read, fail);
  return {
    kind: "sparse",
    shape: sizes,
    dtype: values.dtype,
    parts: tensors,
    compose: (read, place) => {
      const fail: Fail = (problem) => {
        throw new WeightsError(file, place, problem);
      };
      return scattered(count, values.dtype, read.at(-1)!.readBytes(), places(read, fail), fail);
    },
  };
}

type Fail = (problem: string) => never;

/** Where runs of values lie in the dense tensor: the first element of each, in the values' order, and their length. */
interface Places {
  readonly starts: Iterable<number>;
  readonly length: number;
}

/** Indices `[axes, count]`, values `[count, ...rest]`. */
function coordinates(shape: readonly number[], [indices, values]: readonly NamedTensor[], fail: Fail): Places {
  const [axes, count] = indices!.shape;
  const fits =
    indices!.shape.length === 2 &&
    values!.shape[0] === count &&
    String(values!.shape.slice(1)) === String(shape.slice(axes));
  if (!fits) return fail(`indices of [${indices!.shape}] and values of [${values!.shape}] make no [${shape}]`);
  const given = indices!.read();
  const length = countOf(shape.slice(axes));
  const starts = Array.from({ length: count! }, (_, index) => {
    let at = 0;
    for (let axis = 0; axis < axes!; axis++) {
      const place = given[axis * count! + index]!;
      if (!(place >= 0 && place < shape[axis]!)) fail(`place ${place} is outside of [${shape}]`);
      at = at * shape[axis]! + place;
    }
    return at * length;
  });
  return { starts, length };
}

interface Compressed {
  readonly isByColumn: boolean;
  readonly isBlocked: boolean;
}

const compressedForms: Readonly<Record<string, Compressed>> = {
  "torch.sparse_csr": { isByColumn: false, isBlocked: false },
  "torch.sparse_csc": { isByColumn: true, isBlocked: false },
  "torch.sparse_bsr": { isByColumn: false, isBlocked: true },
  "torch.sparse_bsc": { isByColumn: true, isBlocked: true },
};

/** Where each row (or column) begins in the values, the column (or row) of each value, values or blocks of them. */
function compressed(
  shape: readonly number[],
  { isByColumn, isBlocked }: Compressed,
  [bounds, others, values]: readonly NamedTensor[],
  fail: Fail,
): Places {
  const [count, height = 1, width = 1] = values!.shape;
  const [rows, columns] = shape as [number, number];
  const blocks = [rows / height, columns / width];
  const [outer, inner] = (isByColumn ? blocks.toReversed() : blocks) as [number, number];
  const [ends, places] = [bounds!.read(), others!.read()];
  const fits =
    (isBlocked || values!.shape.length === 1) &&
    blocks.every(Number.isInteger) &&
    ends.length === outer + 1 &&
    places.length === count &&
    ends[0] === 0 &&
    ends[outer] === count;
  if (!fits) return fail(`its indices and its values of [${values!.shape}] make no [${shape}]`);
  const starts: number[] = [];
  for (let line = 0; line < outer; line++) {
    if (ends[line + 1]! < ends[line]! || ends[line + 1]! > count!) fail("its rows are out of order");
    for (let index = ends[line]!; index < ends[line + 1]!; index++) {
      const other = places[index]!;
      if (!(other >= 0 && other < inner)) fail(`place ${other} is outside of [${shape}]`);
      const [row, column] = isByColumn ? [other, line] : [line, other];
      for (let within = 0; within < height; within++) starts.push((row * height + within) * columns + column * width);
    }
  }
  return { starts, length: width };
}

/** The dense elements. Values at one place are added, as PyTorch does. */
function scattered(
  count: number,
  dtype: StoredType,
  values: Uint8Array<ArrayBuffer>,
  { starts, length }: Places,
  fail: Fail,
): Uint8Array<ArrayBuffer> {
  const size = sizeOf(dtype);
  const dense = new Uint8Array(count * size);
  const taken = new Uint8Array(count);
  const add = adders[dtype];
  const [to, from] = [dense, values].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as [
    DataView,
    DataView,
  ];
  let at = 0;
  for (const start of starts) {
    for (let place = start; place < start + length; place++, at += size) {
      if (taken[place] === 0) dense.set(values.subarray(at, at + size), place * size);
      else if (add === undefined) fail(`has two values at one place in ${dtype}: save it with .coalesce()`);
      else add(to, place * size, from, at);
      taken[place] = 1;
    }
  }
  return dense;
}

type Add = (to: DataView, place: number, from: DataView, at: number) => void;

const adders: Partial<Record<StoredType, Add>> = {
  float32: (to, place, from, at) => to.setFloat32(place, to.getFloat32(place, true) + from.getFloat32(at, true), true),
  float64: (to, place, from, at) => to.setFloat64(place, to.getFloat64(place, true) + from.getFloat64(at, true), true),
  int32: (to, place, from, at) => to.setInt32(place, to.getInt32(place, true) + from.getInt32(at, true), true),
  int64: (to, place, from, at) => to.setBigInt64(place, to.getBigInt64(place, true) + from.getBigInt64(at, true), true),
};
