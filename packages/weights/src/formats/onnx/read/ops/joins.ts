import { Concatenate } from "../../../../layers/joins.ts";
import { channelsLast, orderOf, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf, permuted } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { computed, isKnownSize, shapeText } from "../sizes.ts";
import { shapeOfValue } from "./shape-of.ts";
import { taken } from "./slices.ts";
import { replaced, withAxis } from "./with-axis.ts";

export function concat(builder: Builder, node: OnnxNode): Value {
  const values = node.inputs.map((_, index) => builder.input(node, index));
  const shapes = values.map(shapeOfValue);
  const rank = shapes[0]!.length;
  const axis = builder.axis(node, builder.number(node, "axis", 1), rank);
  if (values.length === 1) return values[0]!;
  const fits = shapes.every(
    (shape) =>
      shape.length === rank &&
      shape.every(
        (size, index) =>
          index === axis || !isKnownSize(size) || !isKnownSize(shapes[0]![index]!) || size === shapes[0]![index],
      ),
  );
  if (!fits)
    return builder.refuse(
      node,
      `expected shapes that differ along axis ${axis} only, got ${shapes.map(shapeText).join(", ")}`,
    );
  const parts = values.map((value) =>
    value.kind === "sizes" ? builder.refuse(node, "joins sizes with tensors") : value,
  );
  const signals = parts.filter((part) => part.kind === "signal");
  const total = shapes.map((shape) => shape[axis]!).reduce((sum, size) => computed("+", sum, size));
  if (signals.length === 0) {
    const axes = shapes[0]!.map((size, index) => [{ size: index === axis ? total : size }]);
    return builder.operation(node, "concatenate", { xs: parts, axis }, [
      { axes, physical: axes, type: parts[0]!.type },
    ])[0]!;
  }
  const isMap = signals.some((signal) => String(orderOf(signal)) === String(channelsLast(rank)));
  const order = isMap && rank >= 3 ? channelsLast(rank) : range(0, rank);
  const turned = parts.map((part) =>
    part.kind === "signal" ? plain(builder, node, part, order) : ordered(part, order),
  );
  const first = turned.find((part) => part.kind === "signal") as Signal;
  const axes = first.axes.map((own, index) =>
    index === axis ? newAxis(total) : own.length > 0 ? own : newAxis(shapes[0]![index]!),
  );
  const physical = order.map((index) => axes[index]!);
  const place = order.indexOf(axis);
  if (turned.some((part) => part.kind === "constant"))
    return builder.operation(node, "concatenate", { xs: turned, axis: place }, [
      { axes, physical, type: first.type },
    ])[0]!;
  const layer = new Concatenate({ name: builder.layerName(node), axis: place === order.length - 1 ? -1 : place });
  const [tensor] = builder.apply(
    node,
    layer,
    (turned as Signal[]).map((part) => part.tensor),
  );
  return { ...first, tensor: tensor!, axes, physical, isRaw: signals.every(({ isRaw }) => isRaw), origin: undefined };
}

function ordered(constant: Constant, order: readonly number[]): Constant {
  const values = permuted(constant.read(), constant.shape, order);
  return constantOf(
    order.map((axis) => constant.shape[axis]!),
    constant.type,
    values,
    constant.name,
  );
}

export function split(builder: Builder, node: OnnxNode): readonly Value[] {
  const value = builder.input(node, 0);
  const shape = shapeOfValue(value);
  const axis = builder.axis(node, builder.number(node, "axis", 0), shape.length);
  const size = shape[axis]!;
  const count = node.outputs.length;
  const given = builder.numbers(node, 1, "split");
  if (value.kind === "sizes") return builder.refuse(node, "splits sizes that only the run knows");
  if (!isKnownSize(size)) return builder.refuse(node, "splits an axis whose size only the run knows");
  const each = Math.ceil(size / (builder.number(node, "num_outputs", 0) || count));
  const sizes = given ?? range(0, count).map((index) => Math.min(each, size - index * each));
  if (
    sizes.length !== count ||
    sizes.some((part) => !(Number.isInteger(part) && part >= 0)) ||
    sizes.reduce((sum, part) => sum + part, 0) !== size
  )
    return builder.refuse(node, `expected ${count} parts of ${size}, got [${sizes.join(", ")}]`);
  if (value.kind === "constant") {
    return sizes.map((length, index) =>
      taken(builder, node, value, axis, {
        start: sizes.slice(0, index).reduce((sum, part) => sum + part, 0),
        length,
        step: 1,
      }),
    );
  }
  const { x, place } = withAxis(builder, node, value, axis);
  const outputs = sizes.map((part) => {
    const own = newAxis(part);
    return { axes: replaced(x.axes, axis, own), physical: replaced(x.physical, place, own), type: x.type };
  });
  return builder.operation(node, "splitsizes", { x, sizes, axis: place }, outputs, x.isRaw);
}
