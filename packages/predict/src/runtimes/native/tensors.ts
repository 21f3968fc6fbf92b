import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import type { ElementType, NumberView } from "./element-types.ts";

/** The address of an object of a C library. */
export type Pointer = number | bigint;

/** A tensor of a library with its memory as JavaScript sees it. */
export interface NativeTensor {
  readonly tensor: Pointer;
  readonly shape: readonly number[];
  readonly view: NumberView | BigInt64Array;
}

/** The numbers at an address of a tensor of this shape, without a copy. */
export function viewAt(address: Pointer, type: ElementType, shape: readonly number[]): NativeTensor["view"] {
  const bytes = type.bytes * shape.reduce((product, size) => product * size, 1);
  return type.view(bytes === 0 ? new ArrayBuffer(0) : foreignFunctions().view(BigInt(address), bytes));
}

/** Copies values into a tensor. */
export function fillTensor({ view }: NativeTensor, data: Feed["data"]): void {
  if (view instanceof BigInt64Array) for (let i = 0; i < view.length; i++) view[i] = BigInt(data[i]!);
  else view.set(data);
}

/** A copy of a tensor's values. */
export function valuesOf({ view, shape }: Pick<NativeTensor, "view" | "shape">): Values {
  return {
    data: view instanceof Float32Array ? new Float32Array(view) : Float32Array.from(view, Number),
    shape: [...shape],
  };
}

export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}
