import type { TensorInfo } from "@tensorflow/tfjs-core";

import {
  address,
  input,
  output,
  sizeOf,
  type Attrs,
  type Context,
  type Inputs,
  type Kernel,
} from "../runtime/kernel-context.ts";

/** Tensors never change, so a copy is another reference to the same data. */
export function identity(inputs: Inputs, _attrs: Attrs, { backend }: Context): TensorInfo {
  const x = input(inputs, "x");
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}

/**
 * A cast to the same type copies nothing; tfjs does this to the gradient of each ReLU. A cast to bool makes every
 * non-zero number true; the stock kernel keeps only the number's low byte.
 */
export function cast(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    if (x.dtype === attrs["dtype"]) return identity(inputs, attrs, context);
    if (attrs["dtype"] !== "bool") return stock(inputs, attrs, context);
    const out = output(context, x.shape, "bool");
    const to = context.backend.typedArrayFromHeap(out);
    for (const [index, value] of context.backend.typedArrayFromHeap(x).entries()) to[index] = value === 0 ? 0 : 1;
    return out;
  };
}

/**
 * A transpose that moves no axis copies nothing. tfjs does this to the kernel of each dense layer over maps, and the stock copy fails
 * where it makes the memory grow.
 */
export function transpose(stock: Kernel): Kernel {
  return (inputs, attrs, context) =>
    (attrs["perm"] as readonly number[]).every((from, axis) => from === axis)
      ? identity(inputs, attrs, context)
      : stock(inputs, attrs, context);
}

/** Repeats along each axis by copies of doubling length. Batch normalisation broadcasts this way. */
export function tile(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const reps = attrs["reps"] as readonly number[];
  const out = output(
    context,
    x.shape.map((length, axis) => length * reps[axis]!),
    x.dtype,
  );
  if (sizeOf(out.shape) === 0) return out;
  const bytes = x.dtype === "bool" ? 1 : 4;
  const from = address(context, x);
  const to = address(context, out);
  const heap = new Uint8Array(context.backend.typedArrayFromHeap(out).buffer);
  // Axes after the last repeated one form one contiguous run.
  const last = reps.findLastIndex((rep) => rep > 1);
  const copy = (axis: number, source: number, target: number): void => {
    const run = sizeOf(x.shape.slice(axis)) * bytes;
    if (axis > last) {
      heap.copyWithin(target, source, source + run);
      return;
    }
    const length = x.shape[axis]!;
    const inner = sizeOf(out.shape.slice(axis + 1)) * bytes;
    for (let i = 0; i < length; i++) copy(axis + 1, source + (i * run) / length, target + i * inner);
    const block = length * inner;
    const total = block * reps[axis]!;
    for (let done = block; done < total; done *= 2) {
      heap.copyWithin(target + done, target, target + Math.min(done, total - done));
    }
  };
  copy(0, from, to);
  return out;
}
