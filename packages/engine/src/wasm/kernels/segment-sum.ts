import type { TensorInfo } from "@tensorflow/tfjs-core";

import { EngineError } from "../../engine-error.ts";
import { input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

/** `[n, ...] -> [segments, ...]`: rows with the same segment are added up, which is the gradient of a gather. */
export function unsortedSegmentSum(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const segmentIds = input(inputs, "segmentIds");
  if (x.dtype !== "float32" && x.dtype !== "int32") {
    throw new EngineError(`A segment sum takes float32 or int32 on the wasm engine, not ${x.dtype}: cast first.`);
  }
  const { backend } = context;
  const segments = attrs["numSegments"] as number;
  const inner = x.shape.slice(segmentIds.shape.length);
  const width = sizeOf(inner);
  const out = output(context, [segments, ...inner], x.dtype);
  const sums = backend.typedArrayFromHeap(out).fill(0);
  const values = backend.typedArrayFromHeap(x);
  const ids = backend.typedArrayFromHeap(segmentIds);
  for (const [row, segment] of ids.entries()) {
    // A negative segment is dropped, as TensorFlow does.
    if (segment < 0 || segment >= segments) continue;
    for (let i = 0; i < width; i++) sums[segment * width + i]! += values[row * width + i]!;
  }
  return out;
}
