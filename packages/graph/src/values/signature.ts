import * as tf from "@tensorflow/tfjs-core";
import { DT, fromTfjs } from "./dtypes.ts";
import type { TypedArray } from "./dtypes.ts";
import { GraphError } from "../graph-error.ts";
import type { HostData } from "./host-tensor.ts";
import { isHostArray, layoutOf, mapLeaves } from "./nested.ts";

/** A tensor argument: the data to feed, and the tfjs type that the function sees. */
export interface Leaf {
  path: string;
  dtype: number;
  seen: number;
  shape: readonly number[];
  values(): TypedArray;
}

/** A placeholder for a leaf in the arguments. */
export class Slot {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/**
 * Finds the tensors among the arguments of some calls. Returns them, the arguments with slots in their place, a key
 * that equal signatures share, and a key without the plain values. `open` gives both keys without the tensors' first sizes.
 */
export function signatureOf(calls: readonly (readonly unknown[])[]): {
  key: string;
  shapes: string;
  open(): { key: string; shapes: string };
  leaves: Leaf[];
  skeleton: unknown;
} {
  const leaves: Leaf[] = [];
  let plain = "";
  const layout = `${layoutOf(calls)};`;
  let shapes = layout;
  const skeleton = mapLeaves(calls, (value, place) => {
    // With a single call, arguments are named without the call's number.
    const path = calls.length === 1 ? place.replace(/^0\./, "") : place;
    const leaf = leafOf(value, path);
    if (leaf === undefined) {
      plain += `${path}=${identity(value)};`;
      return value;
    }
    shapes += leafKey(leaf, leaf.shape);
    leaves.push(leaf);
    return new Slot(leaves.length - 1);
  });
  const open = (): { key: string; shapes: string } => {
    const without = layout + leaves.map((leaf) => leafKey(leaf, leaf.shape.slice(1))).join("");
    return { key: without + plain, shapes: without };
  };
  return { key: shapes + plain, shapes, open, leaves, skeleton };
}

function leafKey({ path, dtype, seen }: Leaf, shape: readonly number[]): string {
  return `${path}:${dtype}>${seen}[${shape.join()}];`;
}

/** The arguments with tensors in place of the slots. */
export function fillSlots(skeleton: unknown, tensors: readonly tf.Tensor[]): unknown[] {
  return mapLeaves(skeleton, (value) => (value instanceof Slot ? tensors[value.index] : value)) as unknown[];
}

function leafOf(value: unknown, path: string): Leaf | undefined {
  // A variable is not a value: the function reads and writes it like a variable of its closure.
  if (value instanceof tf.Variable) return undefined;
  if (value instanceof tf.Tensor) {
    if (value.isDisposed) throw new GraphError(`The argument ${path} of a compiled function is a disposed tensor.`);
    if (value.dtype === "string")
      throw new GraphError(
        `The argument ${path} of a compiled function is a tensor of strings, and compiled functions take numbers; encode it before the call.`,
      );
    const dtype = fromTfjs(value.dtype);
    return { path, dtype, seen: dtype, shape: value.shape, values: () => typedValues(value) };
  }
  if (ArrayBuffer.isView(value)) return arrayLeaf(path, value as HostData, [(value as HostData).length]);
  if (!isHostArray(value)) return undefined;
  const { data, shape } = value;
  if (!shape.every((side) => Number.isInteger(side) && side >= 0))
    throw new GraphError(
      `The argument ${path} has the shape [${shape.join(", ")}]; its sides are whole numbers from 0.`,
    );
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size)
    throw new GraphError(
      `The argument ${path} has ${data.length} numbers, and its shape [${shape.join(", ")}] needs ${size}.`,
    );
  return arrayLeaf(path, data, shape, value.dtype);
}

function arrayLeaf(path: string, data: HostData, shape: readonly number[], type?: string): Leaf {
  const dtype = type === "bool" ? DT.bool : dtypeOfArray(data, path);
  return { path, dtype, seen: dtype === DT.uint8 ? DT.float32 : dtype, shape, values: () => data };
}

function typedValues(tensor: tf.Tensor): TypedArray {
  const values = tensor.dataSync();
  return values as TypedArray;
}

function dtypeOfArray(data: unknown, path: string): number {
  if (data instanceof Float32Array) return DT.float32;
  if (data instanceof Int32Array) return DT.int32;
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return DT.uint8;
  throw new GraphError(
    `The argument ${path} is a ${(data as object).constructor.name}; give a Float32Array, an Int32Array or a Uint8Array.`,
  );
}

const identities = new WeakMap<object, number>();
let identityCount = 0;

/** The same for equal plain values, and for the same object or function. */
function identity(value: unknown): string {
  if ((typeof value !== "object" && typeof value !== "function") || value === null)
    return `${typeof value} ${typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value)}`;
  let id = identities.get(value);
  if (id === undefined) identities.set(value, (id = identityCount++));
  return `#${id}`;
}
