import { naturalOrder, plain } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { OnnxNode } from "../node.ts";
import { placeOf } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";

/** A signal in whose tensor this axis stands alone, and its place there. */
export function withAxis(builder: Builder, node: OnnxNode, x: Signal, axis: number): { x: Signal; place: number } {
  const found = placeOf(x, axis);
  if (found !== undefined) return { x, place: found };
  const order = naturalOrder(x);
  const turned = plain(builder, node, x, order);
  return { x: turned, place: order.indexOf(axis) };
}

export function replaced(axes: readonly Axis[], place: number, axis: Axis): Axis[] {
  return axes.map((own, index) => (index === place ? axis : own));
}
