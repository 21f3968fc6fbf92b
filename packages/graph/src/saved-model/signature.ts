import * as tf from "@tensorflow/tfjs-core";
import { DT, dtypeName } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import type { Endpoint } from "../session/session.ts";
import { isHostArray } from "../values/nested.ts";
import type { TensorLike } from "../values/nested.ts";

/** An input or output of a signature, or a variable. */
export interface TensorDescription {
  /** TensorFlow's type name: "float32", "int64", "uint8" … */
  dtype: string;
  /** -1 for a free size; missing if any rank is allowed. */
  shape?: number[];
}

/** A tensor of a signature, as in the SavedModel's file. */
export interface TensorInfo {
  name: string;
  dtype: number;
  tensor_shape: Shape | null;
}

/** TensorShapeProto. */
export interface Shape {
  dim: { size: number }[];
  unknown_rank: boolean;
}

/** A tensor of a signature with its name there. */
export interface NamedTensor extends TensorDescription {
  key: string;
  info: TensorInfo;
}

/** The tensors sorted by name, since the file has no order. */
export function namedTensors(infos: Record<string, TensorInfo>): NamedTensor[] {
  return Object.entries(infos)
    .map(([key, info]) => ({ key, info, dtype: dtypeName(info.dtype), ...shapeOf(info) }))
    .toSorted((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }));
}

/** Describes tensors for users. */
export function describeTensors(tensors: readonly NamedTensor[]): Record<string, TensorDescription> {
  return Object.fromEntries(tensors.map(({ key, info, dtype }) => [key, { dtype, ...shapeOf(info) }]));
}

function shapeOf({ tensor_shape }: TensorInfo): { shape?: number[] } {
  const shape = sizes(tensor_shape);
  return shape === undefined ? {} : { shape };
}

/** The sizes of a shape, if its rank is known. */
export function sizes(shape: Shape | null | undefined): number[] | undefined {
  return shape === null || shape === undefined || shape.unknown_rank ? undefined : shape.dim.map(({ size }) => size);
}

/** Parses "serving_default_x:0" into a node and an output. */
export function endpoint(tensor: string): Endpoint {
  const [name = "", index = "0"] = tensor.split(":");
  return { name, index: Number(index) };
}

/** The inputs by name; throws if they do not match the signature. */
export function byName(
  values: TensorLike | Record<string, TensorLike>,
  signature: string,
  names: readonly string[],
): Record<string, TensorLike> {
  const isOne = isTensorLike(values);
  if (isOne && names.length === 1) return { [names[0] as string]: values };
  const given = isOne ? [] : Object.keys(values);
  if (given.length !== names.length || !given.every((key) => names.includes(key)))
    throw new GraphError(
      `The signature "${signature}" takes ${quoted(names)}, and ${isOne ? "a tensor without a name" : quoted(given)} came.`,
    );
  return values as Record<string, TensorLike>;
}

function isTensorLike(value: TensorLike | Record<string, TensorLike>): value is TensorLike {
  return typeof value === "number" || ArrayBuffer.isView(value) || value instanceof tf.Tensor || isHostArray(value);
}

function contents(value: TensorLike): { data: ArrayLike<unknown>; shape: readonly number[] } {
  if (typeof value === "number") return { data: [value], shape: [] };
  if (ArrayBuffer.isView(value)) return { data: value, shape: [value.length] };
  return value instanceof tf.Tensor ? { data: value.dataSync(), shape: value.shape } : value;
}

/** An input's numbers, in the layout of its type. */
export function arrayOf(
  value: TensorLike,
  { key, info, dtype, shape: wanted }: NamedTensor,
): { values: TypedArray; shape: readonly number[] } {
  const { data, shape } = contents(value);
  if (wanted !== undefined && !fits(shape, wanted))
    throw new GraphError(
      `The input "${key}" takes the shape [${wanted.map((size) => (size < 0 ? "any" : size)).join(", ")}], and [${shape.join(", ")}] came.`,
    );
  const make = converters[info.dtype];
  if (make === undefined) throw new GraphError(`The input "${key}" is of the type ${dtype}, which tfjs does not have.`);
  return { values: make(data as ArrayLike<number>), shape };
}

function fits(shape: readonly number[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && wanted.every((size, axis) => size < 0 || size === shape[axis]);
}

const converters: Record<number, (data: ArrayLike<number>) => TypedArray> = {
  [DT.float32]: (data) => (data instanceof Float32Array ? data : Float32Array.from(data)),
  [DT.float64]: (data) => Float64Array.from(data),
  [DT.int32]: (data) => (data instanceof Int32Array ? data : Int32Array.from(data)),
  [DT.int64]: (data) => BigInt64Array.from(Array.from(data, BigInt)),
  [DT.uint8]: (data) => (data instanceof Uint8Array ? data : Uint8Array.from(data)),
  [DT.bool]: (data) => (data instanceof Uint8Array ? data : Uint8Array.from(data, Boolean as never)),
};

/** Quotes names for a list in an error. */
export function quoted(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `"${name}"`).join(", ");
}
