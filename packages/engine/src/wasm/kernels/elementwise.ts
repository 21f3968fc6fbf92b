import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";

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
import { tile } from "./copies.ts";

const binaryCodes = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3, SquaredDifference: 4, Maximum: 5, Minimum: 6 } as const;
const clipCode = 6;
const unaryCodes = { Relu: 0, Step: 1, Square: 2, Sqrt: 3, Relu6: 4, Neg: 5 } as const;

/** For rows shorter than this, the backend's own broadcasting kernel is faster. */
const shortestRow = 8;

/** An arithmetic kernel: ours for float32 of equal shapes, with a scalar or with a row, else the backend's `stock`. */
export function binaryKernel(name: keyof typeof binaryCodes, stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const a = input(inputs, "a");
    const b = input(inputs, "b");
    const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const size = sizeOf(shape);
    const periodA = period(a.shape, shape);
    const periodB = period(b.shape, shape);
    if (a.dtype !== "float32" || b.dtype !== "float32" || size === 0) return stock(inputs, attrs, context);
    if (periodA === 0 || periodB === 0) {
      // For a number and NaN, the stock kernels return the number instead of NaN.
      return hidesNan.has(name) ? broadcast(name, [a, b], shape, context) : stock(inputs, attrs, context);
    }
    const out = output(context, shape);
    const args = [
      address(context, a),
      address(context, b),
      address(context, out),
      size,
      periodA,
      periodB,
      binaryCodes[name],
    ];
    context.runtime.run("binary", args, "binaryUnits", size * memoryBound);
    return out;
  };
}

const hidesNan: ReadonlySet<string> = new Set(["Maximum", "Minimum"]);

/** Repeats both operands to the result's shape, then runs the kernel. */
function broadcast(
  name: string,
  operands: readonly [TensorInfo, TensorInfo],
  shape: readonly number[],
  context: Context,
): TensorInfo {
  const whole = operands.map((operand) => {
    const own = [...Array.from({ length: shape.length - operand.shape.length }, () => 1), ...operand.shape];
    return tile({ x: { ...operand, shape: own } }, { reps: shape.map((length, axis) => length / own[axis]!) }, context);
  });
  const out = call(context, name, { a: whole[0]!, b: whole[1]! });
  for (const { dataId } of whole) context.backend.disposeData(dataId);
  return out;
}

/** `[...] -> [...]`: clips to a minimum and a maximum. Keeps NaN, which the stock kernel loses. */
export function clipByValue(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const size = sizeOf(x.shape);
    if (x.dtype !== "float32" || size === 0) return stock(inputs, attrs, context);
    const out = output(context, x.shape);
    const limits = [attrs["clipValueMin"], attrs["clipValueMax"]].map((limit) => floatBits(limit as number));
    const args = [address(context, x), address(context, out), size, clipCode, ...limits];
    context.runtime.run("unary", args, "unaryUnits", size * memoryBound);
    return out;
  };
}

/** An elementwise kernel on float32, else the backend's `stock`. */
export function unaryKernel(name: keyof typeof unaryCodes, stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const size = sizeOf(x.shape);
    if (x.dtype !== "float32" || size === 0) return stock(inputs, attrs, context);
    const out = output(context, x.shape);
    const alpha = floatBits((attrs["alpha"] as number | undefined) ?? 0);
    const args = [address(context, x), address(context, out), size, unaryCodes[name], alpha];
    context.runtime.run("unary", args, "unaryUnits", size * memoryBound);
    return out;
  };
}

/** Cost of one element in a memory-bound kernel, in multiply-adds. */
export const memoryBound = 4;

/**
 * Number of elements of `shape` after which a tensor of `given` shape repeats: all, a row or 1; 0 for other
 * broadcasts.
 */
function period(given: readonly number[], shape: readonly number[]): number {
  const size = sizeOf(given);
  if (size === sizeOf(shape) || size === 1) return size;
  const from = given.findIndex((length) => length > 1);
  const row = given.slice(from);
  const isSuffix = row.every((length, index) => length === shape[shape.length - row.length + index]);
  return isSuffix && size >= shortestRow ? size : 0;
}

/**
 * Normalization with moments that broadcast to `x` in any way, such as `[1, c, 1, 1]`: the stock kernel applies them
 * along the last axis.
 */
function broadcastNorm(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const { offset, scale } = inputs;
  const made: TensorInfo[] = [];
  const step = (name: string, a: TensorInfo, b: TensorInfo): TensorInfo => {
    const out = call(context, name, { a, b });
    made.push(out);
    return out;
  };
  const epsilon = output(context, []);
  made.push(epsilon);
  context.backend.typedArrayFromHeap(epsilon)[0] = (attrs["varianceEpsilon"] as number | undefined) ?? 0.001;
  const deviation = call(context, "Sqrt", { x: step("Add", input(inputs, "variance"), epsilon) });
  made.push(deviation);
  let out = step("RealDiv", step("Sub", input(inputs, "x"), input(inputs, "mean")), deviation);
  if (scale !== undefined) out = step("Multiply", out, scale);
  if (offset !== undefined) out = step("Add", out, offset);
  for (const { dataId } of made) if (dataId !== out.dataId) context.backend.disposeData(dataId);
  return out;
}

/** `[..., c] -> [..., c]`: normalization with given moments, as one factor and one offset per channel. */
export function batchNorm(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const columns = x.shape.at(-1) ?? 0;
    const { mean, variance, offset, scale } = inputs as Readonly<Record<string, TensorInfo | undefined>>;
    const perChannel = [mean, variance, offset, scale].every(
      (tensor) => tensor === undefined || (sizeOf(tensor.shape) === columns && tensor.shape.at(-1) === columns),
    );
    const size = sizeOf(x.shape);
    if (size === 0 || x.dtype !== "float32") return stock(inputs, attrs, context);
    if (!perChannel) return broadcastNorm(inputs, attrs, context);
    const out = output(context, x.shape);
    const { runtime } = context;
    const factor = runtime.malloc(8 * columns);
    const { buffer } = runtime.memory;
    const values = (tensor: TensorInfo | undefined): Float32Array | undefined =>
      tensor && new Float32Array(buffer, address(context, tensor), columns);
    const [means, variances, offsets, scales] = [mean, variance, offset, scale].map(values);
    const [factors, terms] = [
      new Float32Array(buffer, factor, columns),
      new Float32Array(buffer, factor + 4 * columns, columns),
    ];
    const epsilon = (attrs["varianceEpsilon"] as number | undefined) ?? 0.001;
    for (let c = 0; c < columns; c++) {
      factors[c] = (scales?.[c] ?? 1) / Math.sqrt(variances![c]! + epsilon);
      terms[c] = (offsets?.[c] ?? 0) - means![c]! * factors[c]!;
    }
    const args = [address(context, x), factor, factor + 4 * columns, address(context, out), size / columns, columns];
    runtime.run("affine", args, "affineUnits", size * memoryBound);
    runtime.free(factor);
    return out;
  };
}
