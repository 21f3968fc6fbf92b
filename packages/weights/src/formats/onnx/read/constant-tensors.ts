import * as tf from "@tensorflow/tfjs-core";
import { countOf } from "../../../bytes/named-tensor.ts";
import type { Constant, ElementKind } from "./constant.ts";

export function dtypeOf(type: ElementKind): "float32" | "int32" | "bool" {
  return type === "float" ? "float32" : type === "int" ? "int32" : "bool";
}

const int32Bound = 2 ** 31 - 1;

/** A constant as a tensor. Whole numbers beyond 32 bits, which mean "to the end", become the largest ones. */
export function tensorOf(constant: Constant): tf.Tensor {
  const values = constant.read();
  if (constant.type === "float") return tf.tensor(Float32Array.from(values), [...constant.shape], "float32");
  if (constant.type === "bool") return tf.tensor(Uint8Array.from(values), [...constant.shape], "bool");
  const whole = Int32Array.from(values, (value) => Math.min(Math.max(value, -int32Bound), int32Bound));
  return tf.tensor(whole, [...constant.shape], "int32");
}

/** The elements as nested lists, as an operation's configuration has them. */
export function nested({ shape, read, type }: Constant): unknown {
  const values = read();
  const isBool = type === "bool";
  const take = (axis: number, at: number): unknown => {
    if (axis === shape.length) return isBool ? values[at] !== 0 : values[at];
    const step = countOf(shape.slice(axis + 1));
    return Array.from({ length: shape[axis]! }, (_, index) => take(axis + 1, at + index * step));
  };
  return take(0, 0);
}
