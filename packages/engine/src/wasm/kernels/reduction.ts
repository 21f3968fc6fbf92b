import { backend_util, util, type TensorInfo } from "@tensorflow/tfjs-core";

import {
  address,
  call,
  floatBits,
  input,
  output,
  sizeOf,
  type Attrs,
  type Context,
  type Inputs,
  type Kernel,
} from "../runtime/kernel-context.ts";
import { memoryBound } from "./elementwise.ts";

/** Sums over adjacent axes in place, without a transpose; `stock` computes other sums. */
export function sum(stock: Kernel): Kernel {
  return (inputs, attrs, context) => reduce(inputs, attrs, context, () => 1) ?? stock(inputs, attrs, context);
}

/** Means over adjacent axes; `stock` computes other means. */
export function mean(stock: Kernel): Kernel {
  return (inputs, attrs, context) =>
    reduce(inputs, attrs, context, (length) => 1 / length) ?? stock(inputs, attrs, context);
}

/** The largest or smallest value, or NaN if any value is NaN; the stock kernels lose NaN. */
export function keepNan(stock: Kernel, axesName: string): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const out = stock(inputs, attrs, context);
    if (x.dtype !== "float32" || !hasNan(context, x)) return out;
    // NaN differs from itself. Where the sum of these marks is above zero, the result must be NaN.
    const marked = call(context, "NotEqual", { a: x, b: x });
    const ones = call(context, "Cast", { x: marked }, { dtype: "float32" });
    const counts = call(context, "Sum", { x: ones }, { axis: attrs[axesName], keepDims: attrs["keepDims"] });
    const values = context.backend.typedArrayFromHeap(out);
    for (const [index, count] of context.backend.typedArrayFromHeap(counts).entries())
      if (count > 0) values[index] = Number.NaN;
    for (const { dataId } of [marked, ones, counts]) context.backend.disposeData(dataId);
    return out;
  };
}

function reduce(
  inputs: Inputs,
  attrs: Attrs,
  context: Context,
  scale: (length: number) => number,
): TensorInfo | undefined {
  const x = input(inputs, "x");
  const given = attrs["axis"] as number | number[];
  const axes = util.parseAxisParam(given, x.shape).toSorted((a, b) => a - b);
  const areNeighbors = axes.every((axis, index) => axis === axes[0]! + index);
  if (x.dtype !== "float32" || axes.length === 0 || !areNeighbors || sizeOf(x.shape) === 0) return undefined;
  const [outShape, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const length = sizeOf(reduced);
  const inner = sizeOf(x.shape.slice(axes.at(-1)! + 1));
  const shape = attrs["keepDims"] === true ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
  const out = output(context, shape);
  const fields = [sizeOf(x.shape.slice(0, axes[0]!)), length, inner, floatBits(scale(length))];
  const places = [address(context, x), address(context, out)];
  const { runtime } = context;
  const partials = runtime.malloc(runtime.ask("sumPartials", [...places, 0, ...fields]));
  const args = [...places, partials, ...fields];
  runtime.run("sum", args, "sumUnits", sizeOf(x.shape) * memoryBound);
  runtime.ask("sumSlices", args);
  runtime.free(partials);
  return out;
}

function hasNan({ backend }: Context, x: TensorInfo): boolean {
  const values = backend.typedArrayFromHeap(x);
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
