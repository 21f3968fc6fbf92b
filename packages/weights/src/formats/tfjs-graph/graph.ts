import { base64Text, utf8Bytes } from "../../bytes/encoding.ts";
import type * as tf from "@tensorflow/tfjs-core";
import { isMultiple } from "../../recording/record.ts";
import type { Dim } from "../../recording/record.ts";

/** An attribute in the JSON form of TensorFlow's GraphDef. */
export type Attr = Readonly<Record<string, unknown>>;

/** A node of a GraphDef. */
interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, Attr>>;
}

/** A constant: its values lie in the model's shards, under its node's name. */
export interface StoredConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly read: () => Float32Array | Int32Array | Uint8Array;
}

const types: Readonly<Record<string, string>> = { float32: "DT_FLOAT", int32: "DT_INT32", bool: "DT_BOOL" };

export const typeName = (dtype: tf.DataType): string => types[dtype]!;

/** Makers of attributes. */
export const attr = {
  int: (value: number): Attr => ({ i: String(value) }),
  float: (value: number): Attr => ({ f: value }),
  bool: (value: boolean): Attr => ({ b: value }),
  type: (dtype: tf.DataType): Attr => ({ type: typeName(dtype) }),
  string: (value: string): Attr => ({ s: base64(value) }),
  ints: (values: readonly number[]): Attr => ({ list: { i: values.map(String) } }),
  strings: (values: readonly string[]): Attr => ({ list: { s: values.map(base64) } }),
  shape: (dims: readonly Dim[]): Attr => ({ shape: shapeProto(dims) }),
};

const base64 = (text: string): string => base64Text(utf8Bytes(text));

export function shapeProto(dims: readonly Dim[]): object {
  return { dim: dims.map((dim) => ({ size: String(isMultiple(dim) ? -1 : dim) })) };
}

/** Collects the nodes and constants of a GraphDef. */
export class GraphDef {
  readonly nodes: Node[] = [];
  readonly constants: StoredConstant[] = [];
  readonly #names = new Set<string>();
  readonly #vectors = new Map<string, string>();

  /** A name that no other node has, in the characters that TensorFlow allows. */
  unique(name: string): string {
    const clean = name.replaceAll(/[^A-Za-z0-9_./-]/g, "_").replace(/^[^A-Za-z0-9.]/, "x$&");
    let own = clean;
    for (let count = 1; this.#names.has(own); count++) own = `${clean}_${count}`;
    this.#names.add(own);
    return own;
  }

  /** Adds a node and returns its name. */
  node(op: string, input: readonly string[], attrs: Readonly<Record<string, Attr>> = {}, name: string = op): string {
    const own = this.unique(name);
    this.nodes.push({ name: own, op, ...(input.length === 0 ? {} : { input }), attr: attrs });
    return own;
  }

  constant(constant: StoredConstant): string {
    const { shape, dtype } = constant;
    const value = { tensor: { dtype: typeName(dtype), tensorShape: shapeProto(shape) } };
    const name = this.node("Const", [], { dtype: attr.type(dtype), value }, constant.name);
    this.constants.push({ ...constant, name });
    return name;
  }

  /** Whole numbers, or one of them as a scalar. Equal ones are stored once. */
  ints(values: readonly number[] | number): string {
    const key = JSON.stringify(values);
    const known = this.#vectors.get(key);
    if (known !== undefined) return known;
    const list = [values].flat();
    const shape = typeof values === "number" ? [] : [list.length];
    const name = this.constant({ name: "sizes", shape, dtype: "int32", read: () => Int32Array.from(list) });
    this.#vectors.set(key, name);
    return name;
  }

  number(value: number, dtype: "float32" | "int32" | "bool" = "float32"): string {
    const read = (): Float32Array | Int32Array | Uint8Array =>
      dtype === "float32" ? Float32Array.of(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(value);
    return this.constant({ name: "number", shape: [], dtype, read });
  }
}
