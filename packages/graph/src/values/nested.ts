import * as tf from "@tensorflow/tfjs-core";
import type { HostData, HostTensor } from "./host-tensor.ts";

/**
 * The accepted forms of a tensor. A plain typed array has one axis, and a Uint8Array is fed as bytes and cast to
 * float32 in the graph. A number is a tensor only for a loaded SavedModel, whose signature says so; for a compiled
 * function it is a plain value.
 */
export type TensorLike = tf.Tensor | { data: HostData; shape: readonly number[] } | HostData | number;

/** The arguments of a compiled function: tensors may be typed arrays; other values stay as they are. */
export type Input<T> = T extends tf.Tensor
  ? Exclude<TensorLike, number>
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { [K in keyof T]: Input<T[K]> }
      : T;

/** The result of a compiled function, with tensors as `HostTensor`. */
export type Result<T> = T extends tf.Tensor
  ? HostTensor
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { [K in keyof T]: Result<T[K]> }
      : T;

/** Whether a value is `{ data: typed array, shape: [...] }`. */
export function isHostArray(value: unknown): value is { data: HostData; shape: readonly number[]; dtype?: string } {
  if (typeof value !== "object" || value === null) return false;
  const { data, shape } = value as { data?: unknown; shape?: unknown };
  return ArrayBuffer.isView(data) && Array.isArray(shape);
}

/** Rebuilds nested arrays and plain objects with their leaves replaced; `path` names a leaf in errors and graphs. */
export function mapLeaves(value: unknown, replace: (leaf: unknown, path: string) => unknown, path = ""): unknown {
  if (isLeaf(value)) return replace(value, path);
  const join = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((item, index) => mapLeaves(item, replace, join(String(index))));
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => [key, mapLeaves(item, replace, join(key))]),
  );
}

/** The structure of a value without its leaves: the same for equal array lengths and keys. */
export function layoutOf(value: unknown): string {
  if (isLeaf(value)) return "";
  if (Array.isArray(value)) return `[${value.map(layoutOf).join()}]`;
  return `{${Object.entries(value as object).map(([key, item]) => JSON.stringify(key) + layoutOf(item))}}`;
}

function isLeaf(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (value instanceof tf.Tensor || isHostArray(value)) return true;
  if (Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
