import type { GraphNode, Ref } from "./graph-node.ts";
import { arrayFor, DT, sizeOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";

/**
 * The elements of a Const node, in the layout of its dtype; they share the node's memory. Undefined for every other
 * node, for strings, and for a constant whose value was moved to a session.
 */
export function constantOf({ op, attrs, outputs }: GraphNode): TypedArray | undefined {
  if (op !== "Const") return undefined;
  const { tensor } = (attrs["value"] ?? {}) as { tensor?: { tensor_content?: Uint8Array<ArrayBuffer> } };
  const bytes = tensor?.tensor_content;
  const [output] = outputs;
  if (bytes === undefined || output === undefined) return undefined;
  const empty = arrayFor(output.dtype, 0);
  const isAligned = bytes.byteOffset % empty.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset } = isAligned ? bytes : bytes.slice();
  const View = empty.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray;
  return new View(buffer, byteOffset, bytes.byteLength / empty.BYTES_PER_ELEMENT);
}

/** The elements of a constant int32 tensor. */
export function constantInts({ node }: Ref): number[] | undefined {
  const values = constantOf(node);
  return values instanceof Int32Array ? [...values] : undefined;
}

/** The elements of a constant float32 tensor, or of a fill with a constant. */
export function constantFloats({ node }: Ref): Float32Array | undefined {
  if (node.outputs[0]?.dtype !== DT.float32) return undefined;
  if (node.op !== "Fill") return constantOf(node) as Float32Array | undefined;
  const value = uniformValue(node);
  return value === undefined ? undefined : new Float32Array(sizeOf(node.outputs[0].shape)).fill(value);
}

/** The number that all elements of a node's result equal, if that is known without computing: zeros, ones and fills. */
export function uniformValue({ op, inputs }: GraphNode): number | undefined {
  if (op === "ZerosLike") return 0;
  if (op === "OnesLike") return 1;
  const value = op === "Fill" ? inputs[1] : undefined;
  const number = value === undefined ? undefined : constantOf(value.node)?.[0];
  return number === undefined ? undefined : Number(number);
}
