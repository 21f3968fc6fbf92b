import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";

import { address, input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";
import { EngineError } from "../../engine-error.ts";
import { activate, fusedCode } from "./activation.ts";
import { tile } from "./copies.ts";

/** `[..., m, k] x [..., k, n] -> [..., m, n]`, either side transposed. */
export function batchMatMul(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return fusedMatMul(inputs, { ...attrs, activation: "linear" }, context);
}

/** A matrix product with bias and activation. */
export function fusedMatMul(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const a = input(inputs, "a");
  const b = input(inputs, "b");
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new EngineError(
      `A matrix product takes matrices, of rank 2 or more, but got shapes [${a.shape}] and [${b.shape}]: reshape a vector to [1, n] or [n, 1].`,
    );
  }
  if (a.dtype === "int32" && b.dtype === "int32") return wholeNumbers(inputs, attrs, context);
  if (a.dtype !== "float32" || b.dtype !== "float32") {
    throw new EngineError(
      `A matrix product takes float32 or int32 on the wasm engine, not ${a.dtype} and ${b.dtype}: cast first.`,
    );
  }
  const transposeA = attrs["transposeA"] === true;
  const transposeB = attrs["transposeB"] === true;
  const [rows, depth] = lastTwo(a.shape, transposeA);
  const [depthB, columns] = lastTwo(b.shape, transposeB);
  if (depth !== depthB) {
    throw new EngineError(
      `A matrix product needs equal inner sizes, but [${a.shape}]${transposeA ? " transposed" : ""} and [${b.shape}]${transposeB ? " transposed" : ""} have ${depth} and ${depthB}.`,
    );
  }
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  const outer = broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const batchA = sizeOf(outerA);
  const batchB = sizeOf(outerB);
  const y = output(context, [...outer, rows, columns]);
  if (sizeOf(y.shape) === 0) return y;
  const batch = sizeOf(outer);
  const wholeA = batchA === batch || batchA === 1 ? a : repeat(a, outer, context);
  const wholeB = batchB === batch || batchB === 1 ? b : repeat(b, outer, context);
  const { bias } = inputs;
  const args = [
    address(context, wholeA),
    address(context, wholeB),
    address(context, y),
    batch,
    rows,
    columns,
    depth,
    Number(transposeA),
    Number(transposeB),
    batchA === 1 ? 0 : rows * depth,
    batchB === 1 ? 0 : depth * columns,
    bias === undefined ? 0 : address(context, bias),
    fusedCode(attrs["activation"]),
  ];
  context.runtime.run("matMul", args, "matMulUnits", batch * rows * columns * depth);
  if (wholeA !== a) context.backend.disposeData(wholeA.dataId);
  if (wholeB !== b) context.backend.disposeData(wholeB.dataId);
  return activate(y, inputs, attrs, context);
}

/** A product of int32 matrices in plain loops: exact, and modulo 2 to the 32 as in TensorFlow. */
function wholeNumbers(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const [a, b] = [input(inputs, "a"), input(inputs, "b")];
  const [transposeA, transposeB] = [attrs["transposeA"] === true, attrs["transposeB"] === true];
  const [rows, depth] = lastTwo(a.shape, transposeA);
  const [depthB, columns] = lastTwo(b.shape, transposeB);
  if (depth !== depthB)
    throw new EngineError(
      `A matrix product needs equal inner sizes, but [${a.shape}] and [${b.shape}] have ${depth} and ${depthB}.`,
    );
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const y = output(context, [...outer, rows, columns], "int32");
  const [wholeA, wholeB] = [repeat(a, outer, context), repeat(b, outer, context)];
  const { backend } = context;
  const [to, left, right] = [y, wholeA, wholeB].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const batch = sizeOf(outer);
  for (let n = 0, at = 0; n < batch; n++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) {
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          const atA = n * rows * depth + (transposeA ? k * rows + row : row * depth + k);
          const atB = n * depth * columns + (transposeB ? column * depth + k : k * columns + column);
          sum = (sum + Math.imul(left[atA]!, right[atB]!)) | 0;
        }
        to[at] = sum;
      }
    }
  }
  for (const { dataId } of [wholeA, wholeB]) backend.disposeData(dataId);
  return activate(y, inputs, attrs, context);
}

/** Copies the matrices of a partly broadcast batch to the full batch, as the matrix product expects. */
function repeat(x: TensorInfo, outer: readonly number[], context: Context): TensorInfo {
  const before = outer.length + 2 - x.shape.length;
  const shape = [...Array.from({ length: before }, () => 1), ...x.shape];
  const reps = shape.map((length, axis) => (axis < outer.length ? outer[axis]! / length : 1));
  return tile({ x: { ...x, shape } }, { reps }, context);
}

function lastTwo(shape: readonly number[], transposed: boolean): [number, number] {
  const [first = 1, second = 1] = shape.slice(-2);
  return transposed ? [second, first] : [first, second];
}
