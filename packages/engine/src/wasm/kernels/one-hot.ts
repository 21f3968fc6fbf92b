import type { DataType, TensorInfo } from "@tensorflow/tfjs-core";

import { input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

/** `[...] -> [..., depth]`, in the requested type. The backend's own kernel writes integer bits into floats. */
export function oneHot(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const indices = input(inputs, "indices");
  const { depth, onValue, offValue, dtype } = attrs as {
    depth: number;
    onValue: number;
    offValue: number;
    dtype?: DataType;
  };
  const out = output(context, [...indices.shape, depth], dtype ?? "int32");
  const values = context.backend.typedArrayFromHeap(out).fill(offValue);
  const wanted = context.backend.typedArrayFromHeap(indices);
  for (let row = 0; row < sizeOf(indices.shape); row++) {
    const index = wanted[row]!;
    if (index >= 0 && index < depth) values[row * depth + index] = onValue;
  }
  return out;
}
