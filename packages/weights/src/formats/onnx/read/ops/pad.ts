import { PadChannels } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { naturalOrder, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { computed, isKnownSize, shapeText } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { shapeOfValue } from "./shape-of.ts";
import { taken } from "./slices.ts";

export function pad(builder: Builder, node: OnnxNode): Value {
  const value = builder.input(node, 0);
  const shape = shapeOfValue(value);
  const rank = shape.length;
  const given =
    builder.numbers(node, 1, "pads") ?? builder.ints(node, "paddings") ?? builder.refuse(node, "expected pads");
  const stated = builder.numbers(node, 3, "axes")?.map((axis) => builder.axis(node, axis, rank)) ?? range(0, rank);
  if (
    value.kind === "sizes" ||
    given.length !== 2 * stated.length ||
    !given.every((size) => Number.isInteger(size) && Math.abs(size) < 2 ** 24)
  )
    return builder.refuse(node, `expected ${2 * stated.length} pads, got [${given.join(", ")}]`);
  const pads = range(0, rank).map((axis): [number, number] => {
    const at = stated.indexOf(axis);
    return at === -1 ? [0, 0] : [given[at]!, given[at + stated.length]!];
  });
  const fill = builder.optionalConstant(node, 2)?.read()[0] ?? builder.number(node, "value", 0);
  const mode = builder.word(node, "mode", "constant");
  const sizes = shape.map((size, axis) => computed("+", size, pads[axis]![0] + pads[axis]![1]));
  if (sizes.some((size) => isKnownSize(size) && size < 1))
    return builder.refuse(node, `its pads leave nothing of ${shapeText(shape)}`);
  if (pads.flat().every((size) => size === 0)) return value;
  const cut = pads.reduce<Signal | Constant>((x, [before, after], axis) => {
    const size = shapeOfValue(x)[axis]!;
    if (before >= 0 && after >= 0) return x;
    if (!isKnownSize(size)) return builder.refuse(node, "cuts an axis whose size only the run knows");
    const start = Math.max(0, -before);
    return taken(builder, node, x, axis, { start, length: size - start - Math.max(0, -after), step: 1 });
  }, value);
  const widths = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  if (widths.flat().every((size) => size === 0)) return cut;
  if (cut.kind === "constant") {
    const axes = sizes.map((size) => [{ size }]);
    return builder.operation(node, "pad", { x: cut, pad_width: widths, mode, constant_values: fill }, [
      { axes, physical: axes, type: cut.type },
    ])[0]!;
  }
  return paddedSignal(builder, node, cut, { widths, fill, mode, sizes });
}

interface Pads {
  readonly widths: readonly [number, number][];
  readonly fill: number;
  readonly mode: string;
  readonly sizes: readonly Size[];
}

function paddedSignal(builder: Builder, node: OnnxNode, given: Signal, { widths, fill, mode, sizes }: Pads): Signal {
  const order = naturalOrder(given);
  const x = plain(builder, node, given, order);
  const axes = x.axes.map((axis, index) =>
    widths[index]!.every((size) => size === 0) ? axis : newAxis(sizes[index]!),
  );
  const physical = order.map((axis) => axes[axis]!);
  const own = order.map((axis) => widths[axis]!);
  const result = { ...x, axes, physical, origin: undefined };
  const isZero = mode === "constant" && fill === 0 && own.length === 4 && own[0]!.every((size) => size === 0);
  const isEmpty = (side: readonly number[]): boolean => side.every((size) => size === 0);
  if (isZero && isEmpty(own[3]!)) {
    const padding = [[...own[1]!], [...own[2]!]] as [[number, number], [number, number]];
    return {
      ...result,
      tensor: builder.apply(node, tfl.layers.zeroPadding2d({ name: builder.layerName(node), padding }), [x.tensor])[0]!,
    };
  }
  if (isZero && isEmpty(own[1]!) && isEmpty(own[2]!)) {
    const [before, after] = own[3]!;
    return {
      ...result,
      tensor: builder.apply(node, new PadChannels({ name: builder.layerName(node), before, after }), [x.tensor])[0]!,
    };
  }
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge" && mode !== "wrap")
    return builder.refuse(node, `pads by "${mode}", which is not known`);
  return builder.operation(
    node,
    "pad",
    { x, pad_width: own, mode, constant_values: fill },
    [result],
    x.isRaw,
  )[0] as Signal;
}
