import * as tfl from "@tensorflow/tfjs-layers";
import { PadChannels } from "@convkit/core";
import { Concatenate } from "../../../../layers/joins.ts";
import { channelsLast, naturalOrder, orderOf, plain, range } from "../arrange.ts";
import type { Builder, Value } from "../builder.ts";
import { constantOf, floatsOf, permuted } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, placeOf } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { computed, isKnownSize, productOf, shapeText } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import type { Read } from "./read.ts";
import { reshape, shapeOfValue } from "./shapes.ts";

/** A signal in whose tensor this axis stands alone, and its place there. */
export function withAxis(builder: Builder, node: OnnxNode, x: Signal, axis: number): { x: Signal; place: number } {
  const found = placeOf(x, axis);
  if (found !== undefined) return { x, place: found };
  const order = naturalOrder(x);
  const turned = plain(builder, node, x, order);
  return { x: turned, place: order.indexOf(axis) };
}

function replaced(axes: readonly Axis[], place: number, axis: Axis): Axis[] {
  return axes.map((own, index) => (index === place ? axis : own));
}

function concat(builder: Builder, node: OnnxNode): Value {
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

function split(builder: Builder, node: OnnxNode): readonly Value[] {
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

interface Range {
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

/** Some of the positions along an axis of known size. */
function taken(
  builder: Builder,
  node: OnnxNode,
  value: Signal | Constant,
  axis: number,
  { start, length, step }: Range,
): Signal | Constant {
  const rank = shapeOfValue(value).length;
  const own = newAxis(length);
  const stop = start + length * step;
  const part = { start, stop: stop < 0 ? null : stop, step };
  const key = (at: number, count: number): unknown[] =>
    range(0, count).map((index) => (index === at ? part : { start: null, stop: null, step: null }));
  if (value.kind === "constant") {
    const axes = value.shape.map((size, index) => (index === axis ? [{ size: length }] : [{ size }]));
    return builder.operation(node, "getitem", { x: value, key: key(axis, rank) }, [
      { axes, physical: axes, type: value.type },
    ])[0] as Constant;
  }
  const { x, place } = withAxis(builder, node, value, axis);
  const output = { axes: replaced(x.axes, axis, own), physical: replaced(x.physical, place, own), type: x.type };
  return builder.operation(node, "getitem", { x, key: key(place, x.physical.length) }, [output], x.isRaw)[0] as Signal;
}

function slice(builder: Builder, node: OnnxNode): Value {
  const value = builder.input(node, 0);
  const starts = builder.numbers(node, 1, "starts");
  const ends = builder.numbers(node, 2, "ends");
  if (starts === undefined || ends === undefined || value.kind === "sizes")
    return builder.refuse(node, "expected starts and ends");
  const shape = shapeOfValue(value);
  const axes = (builder.numbers(node, 3, "axes") ?? starts.map((_, index) => index)).map((axis) =>
    builder.axis(node, axis, shape.length),
  );
  const steps = builder.numbers(node, 4, "steps") ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length))
    return builder.refuse(node, "expected as many starts, ends, axes and steps");
  return axes.reduce<Signal | Constant>((x, axis, index) => {
    const [size, start, end, step] = [shapeOfValue(x)[axis]!, starts[index]!, ends[index]!, steps[index]!];
    if (step === 0) return builder.refuse(node, "expected steps other than 0");
    if (!isKnownSize(size)) return ofUnknown(builder, node, x as Signal, axis, size, [start, end, step]);
    const bound = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const [from, to] =
      step > 0 ? [bound(start, 0, size), bound(end, 0, size)] : [bound(start, 0, size - 1), bound(end, -1, size - 1)];
    const length = Math.max(0, Math.ceil((to - from) / step));
    if (length === size && step === 1) return x;
    if (length === 0) return builder.refuse(node, "takes no elements at all");
    return taken(builder, node, x, axis, { start: from, length, step });
  }, value);
}

/** A slice of an axis whose size only the run knows: from the front or from the back. */
function ofUnknown(
  builder: Builder,
  node: OnnxNode,
  value: Signal,
  axis: number,
  size: Size,
  [start, end, step]: [number, number, number],
): Signal {
  const isOpen = end >= 2 ** 30;
  if (start === 0 && isOpen && step === 1) return value;
  const { x, place } = withAxis(builder, node, value, axis);
  const length =
    step !== 1 && !(start >= 0 && isOpen && step > 0)
      ? builder.refuse(node, "takes steps along an axis whose size only the run knows")
      : isOpen && start >= 0
        ? computed("/", computed("+", computed("-", size, start), step - 1), step)
        : isOpen
          ? -start
          : end < 0 && start >= 0
            ? computed("+", size, end - start)
            : start >= 0 || end < 0
              ? end - start
              : builder.refuse(node, "takes a part of an axis whose size only the run knows");
  const own = newAxis(length);
  const key = range(0, x.physical.length).map((index) =>
    index === place ? { start, stop: isOpen ? null : end, step } : { start: null, stop: null, step: null },
  );
  const output = { axes: replaced(x.axes, axis, own), physical: replaced(x.physical, place, own), type: x.type };
  return builder.operation(node, "getitem", { x, key }, [output], x.isRaw)[0] as Signal;
}

function gather(builder: Builder, node: OnnxNode): Value {
  const [value, indices] = [builder.input(node, 0), builder.input(node, 1)];
  const shape = shapeOfValue(value);
  const axis = builder.axis(node, builder.number(node, "axis", 0), shape.length);
  if (indices.kind === "signal") return takenBySignal(builder, node, value, indices, axis);
  return takenAt(builder, node, value, builder.constant(node, 1), axis);
}

/** The elements at places that the run computes; rows of a constant matrix are an embedding, which trains. */
function takenBySignal(builder: Builder, node: OnnxNode, value: Value, indices: Signal, axis: number): Value {
  if (value.kind === "sizes") return builder.refuse(node, "takes sizes by places that only the run knows");
  const places = plain(builder, node, indices, range(0, indices.axes.length));
  const [rows, width] = shapeOfValue(value);
  if (value.kind === "constant" && value.type === "float" && value.shape.length === 2 && axis === 0) {
    const [inputDim, outputDim] = [Number(rows), Number(width)];
    const make = (name: string): tfl.layers.Layer => tfl.layers.embedding({ name, inputDim, outputDim });
    const tensor = builder.applyWeighted(node, places.tensor, [value.name, inputDim, outputDim], make, {
      embeddings: () => floatsOf(value),
    });
    const axes = [...places.axes, newAxis(outputDim)];
    return { kind: "signal", tensor, axes, physical: axes, type: "float", isRaw: false };
  }
  const x = value.kind === "signal" ? plain(builder, node, value, range(0, value.axes.length)) : value;
  const own = x.kind === "signal" ? x.axes : x.shape.map((size) => newAxis(size));
  const axes = [...own.slice(0, axis), ...places.axes, ...own.slice(axis + 1)];
  return builder.operation(node, "take", { x, indices: places, axis }, [{ axes, physical: axes, type: x.type }])[0]!;
}

/** The elements at these places along an axis. */
function takenAt(builder: Builder, node: OnnxNode, value: Value, indices: Constant, axis: number): Value {
  if (value.kind === "sizes") return builder.refuse(node, "takes sizes by a list of places");
  const shape = shapeOfValue(value);
  const size = shape[axis]!;
  if (isKnownSize(size) && Array.from(indices.read()).some((at) => !(at >= -size && at < size)))
    return builder.refuse(node, `expected places within ${size}`);
  const inner = indices.shape.map((length) => newAxis(length));
  if (value.kind === "constant") {
    const axes = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)].map((length) => [
      { size: length },
    ]);
    return builder.operation(node, "take", { x: value, indices, axis }, [
      { axes, physical: axes, type: value.type },
    ])[0]!;
  }
  const { x, place } = withAxis(builder, node, value, axis);
  const put = (axes: readonly Axis[], at: number): Axis[] => [...axes.slice(0, at), ...inner, ...axes.slice(at + 1)];
  const output = { axes: put(x.axes, axis), physical: put(x.physical, place), type: x.type };
  if (indices.shape.length === 0) {
    const key = range(0, x.physical.length).map((index) =>
      index === place ? indices.read()[0]! : { start: null, stop: null, step: null },
    );
    return builder.operation(node, "getitem", { x, key }, [output], x.isRaw)[0]!;
  }
  return builder.operation(node, "take", { x, indices, axis: place }, [output], x.isRaw)[0]!;
}

/** Takes elements by constant places along the first axes. */
export function gatherPlaces(builder: Builder, node: OnnxNode): Value {
  const [x, places] = [builder.input(node, 0), builder.constant(node, 1)];
  const shape = shapeOfValue(x);
  const depth = places.shape.at(-1) ?? 0;
  const sizes = shape.slice(0, depth);
  if (builder.number(node, "batch_dims", 0) !== 0 || depth < 1 || depth > shape.length || !sizes.every(isKnownSize))
    return builder.refuse(node, "expected places along the first axes, whose sizes are known");
  const given = places.read();
  const flat = Array.from({ length: given.length / depth }, (_, row) =>
    sizes.reduce<number>((sum, size, axis) => {
      const at = given[row * depth + axis]!;
      if (!(at >= -size && at < size)) return builder.refuse(node, `expected places within ${size}, got ${at}`);
      return sum * size + (at < 0 ? at + size : at);
    }, 0),
  );
  const joined = reshape(builder, node, x, [productOf(sizes), ...shape.slice(depth)]);
  return takenAt(builder, node, joined, constantOf(places.shape.slice(0, -1), "int", flat), 0);
}

function pad(builder: Builder, node: OnnxNode): Value {
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
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge")
    return builder.refuse(node, `pads by "${mode}", which is not known`);
  return builder.operation(
    node,
    "pad",
    { x, pad_width: own, mode, constant_values: fill },
    [result],
    x.isRaw,
  )[0] as Signal;
}

export const parts: Readonly<Record<string, Read>> = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
};
