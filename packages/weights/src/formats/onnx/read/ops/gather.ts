import * as tfl from "@tensorflow/tfjs-layers";
import { plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf, floatsOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { isKnownSize, productOf } from "../sizes.ts";
import { reshape } from "./reshape.ts";
import { shapeOfValue } from "./shape-of.ts";
import { withAxis } from "./with-axis.ts";

export function gather(builder: Builder, node: OnnxNode): Value {
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
