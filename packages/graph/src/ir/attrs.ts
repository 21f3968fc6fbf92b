import { GraphError } from "../graph-error.ts";
import { sizeOf } from "../values/dtypes.ts";
import type { Message } from "../native/protos.ts";

/** One attribute of a node, as the protobuf AttrValue has it. */
export type Attr = Message;

const utf8 = new TextEncoder();

/** Attributes by kind: `attr.int(3)`, `attr.type(DT.float32)`, `attr.ints([1, 2, 2, 1])`. */
export const attr = {
  int: (i: number): Attr => ({ i }),
  float: (f: number): Attr => ({ f }),
  bool: (b: boolean): Attr => ({ b }),
  string: (s: string): Attr => ({ s: utf8.encode(s) }),
  type: (type: number): Attr => ({ type }),
  shape: (dims: readonly number[]): Attr => ({ shape: shapeProto(dims) }),
  tensor: (tensor: Message): Attr => ({ tensor }),
  ints: (i: readonly number[]): Attr => ({ list: { i } }),
  floats: (f: readonly number[]): Attr => ({ list: { f } }),
  bools: (b: readonly boolean[]): Attr => ({ list: { b } }),
  types: (type: readonly number[]): Attr => ({ list: { type } }),
  strings: (s: readonly string[]): Attr => ({ list: { s: s.map((x) => utf8.encode(x)) } }),
  shapes: (shapes: readonly (readonly number[])[]): Attr => ({ list: { shape: shapes.map((s) => shapeProto(s)) } }),
} as const;

/** The text of an attribute; empty if it is missing. */
export function textOf(value: Attr | undefined): string {
  return new TextDecoder().decode(value?.["s"] as Uint8Array | undefined);
}

/** The integers of an attribute such as strides; empty if it is missing. */
export function intsOf(value: Attr | undefined): number[] {
  return ((value?.["list"] as { i?: readonly unknown[] } | undefined)?.i ?? []).map(Number);
}

/** A TensorShapeProto. */
export function shapeProto(dims: readonly number[]): Message {
  return { dim: dims.map((size) => ({ size })) };
}

/** A TensorProto over the given bytes. */
export function tensorProto(dtype: number, shape: readonly number[], bytes: Uint8Array): Message {
  return { dtype, tensor_shape: shapeProto(shape), tensor_content: sizeOf(shape) === 0 ? new Uint8Array() : bytes };
}

/** The AttrValue for a JavaScript value of a type from an OpDef ("int", "list(type)", …). */
export function attrOf(kind: string, value: unknown): Attr {
  const list = Array.isArray(value) ? value : [value];
  switch (kind) {
    case "int":
      return attr.int(Number(value));
    case "float":
      return attr.float(Number(value));
    case "bool":
      return attr.bool(Boolean(value));
    case "string":
      return attr.string(String(value));
    case "type":
      return attr.type(Number(value));
    case "shape":
      return attr.shape(list as number[]);
    case "list(int)":
      return attr.ints(list.map(Number));
    case "list(float)":
      return attr.floats(list.map(Number));
    case "list(bool)":
      return attr.bools(list.map(Boolean));
    case "list(type)":
      return attr.types(list.map(Number));
    case "list(string)":
      return attr.strings(list.map(String));
    case "list(shape)":
      return attr.shapes(Array.isArray(list[0]) ? (list as number[][]) : [list as number[]]);
    default:
      throw new GraphError(`An attribute of the kind "${kind}" cannot be compiled; run the function eagerly instead.`);
  }
}
