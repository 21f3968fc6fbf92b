import { range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { computed, isKnownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { shapeOfValue } from "./shape-of.ts";
import { replaced, withAxis } from "./with-axis.ts";

interface Range {
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

/** Some of the positions along an axis of known size. */
export function taken(
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

export function slice(builder: Builder, node: OnnxNode): Value {
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
