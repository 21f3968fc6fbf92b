import type { Builder } from "../builder.ts";
import type { Sizes, Value } from "../value.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { shapeOf } from "../signal.ts";
import { isKnownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";

/** The sizes that an input states: some may be known only when the model runs. */
export function sizesOf(builder: Builder, node: OnnxNode, index: number): readonly Size[] | undefined {
  const value = builder.optional(node, index);
  if (value === undefined) return undefined;
  if (value.kind === "sizes") return value.items;
  if (value.kind === "constant") return Array.from(value.read());
  return builder.refuse(node, `expected its input ${index}, a shape, to depend on no values of the model's input`);
}

/** ONNX' shape of a value. */
export function shapeOfValue(value: Value): Size[] {
  if (value.kind === "signal") return shapeOf(value);
  if (value.kind === "sizes") return value.isScalar ? [] : [value.items.length];
  return [...value.shape];
}

/** A list of sizes as a constant, if all are known. */
export function knownOr(items: readonly Size[]): Constant | Sizes {
  return items.every(isKnownSize)
    ? constantOf([items.length], "int", items)
    : { kind: "sizes", isScalar: false, items };
}
