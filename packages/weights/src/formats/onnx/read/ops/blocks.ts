import { arranged } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import type { OnnxNode } from "../node.ts";
import { exactly, productOf, shapeText } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { reshape, transpose } from "./reshape.ts";
import { shapeOfValue } from "./shape-of.ts";

/** Moves blocks of pixels to channels or back: a reshape, a transpose and a reshape, which cost nothing until they are needed. */
export function blocks(builder: Builder, node: OnnxNode, toSpace: boolean): Value {
  const x = builder.input(node, 0);
  const size = builder.number(node, "blocksize", 0);
  const [n, c, h, w] = shapeOfValue(x);
  if (x.kind !== "signal" || x.axes.length !== 4 || !(size >= 1))
    return builder.refuse(node, "expected a map and a blocksize");
  const isColumns = builder.word(node, "mode", "DCR") === "CRD";
  const divided = (value: Size, by: number): Size =>
    exactly(value, by) ?? builder.refuse(node, `its blocks of ${size} do not fit ${shapeText([n!, c!, h!, w!])}`);
  const ready = arranged(builder, node, x, x.physical);
  if (!toSpace) {
    const split = reshape(builder, node, ready, [n!, c!, divided(h!, size), size, divided(w!, size), size]);
    const turned = transpose(builder, node, split, [0, 3, 5, 1, 2, 4]);
    return reshape(builder, node, turned, [n!, productOf([c!, size * size]), divided(h!, size), divided(w!, size)]);
  }
  const depth = divided(c!, size * size);
  const split = reshape(
    builder,
    node,
    ready,
    isColumns ? [n!, depth, size, size, h!, w!] : [n!, size, size, depth, h!, w!],
  );
  const turned = transpose(builder, node, split, isColumns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return reshape(builder, node, turned, [n!, depth, productOf([h!, size]), productOf([w!, size])]);
}
