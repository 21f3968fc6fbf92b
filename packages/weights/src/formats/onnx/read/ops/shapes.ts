import { arranged, plain, range } from "../arrange.ts";
import type { Builder, Sizes, Value } from "../builder.ts";
import { constantOf, permuted } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, regrouped, shapeOf, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { exactly, isKnownSize, productOf, sameSize, shapeText, unknownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import type { Read } from "./read.ts";

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

/** A value with another shape. A signal's tensor stays as it is, if the reshape only joins and splits axes. */
export function reshape(builder: Builder, node: OnnxNode, x: Value, stated: readonly Size[]): Value {
  const from = shapeOfValue(x);
  const target = resolved(builder, node, x, from, stated);
  if (x.kind === "sizes") {
    if (target.length > 1 || !sameSize(productOf(target), x.items.length))
      return builder.refuse(node, "reshapes sizes to a matrix");
    return { ...x, isScalar: target.length === 0 };
  }
  if (x.kind === "constant") return { ...x, shape: target as number[] };
  const found = regrouped(x.axes, x.physical, target);
  if (found !== undefined) return { ...x, ...found, origin: undefined };
  const straight = plain(builder, node, x, range(0, x.axes.length));
  const axes = target.map((size) => newAxis(size));
  const runs = { ...straight, axes, physical: axes };
  return reshapedFreely(builder, node, straight, runs);
}

/** A reshape that takes elements across the borders of axes. */
function reshapedFreely(builder: Builder, node: OnnxNode, x: Signal, result: Signal): Signal {
  const own = shapeOf(x);
  let inferred = 0;
  const sizes = shapeOf(result).map((size) => {
    if (isKnownSize(size)) return size;
    const axis = own.findIndex((other) => sameSize(other, size));
    if (axis !== -1) return { axis };
    inferred += 1;
    return -1;
  });
  if (inferred > 1)
    builder.refuse(node, "its shape has several sizes that only the run knows: export the file with fixed sizes");
  return builder.operation(node, "reshapelike", { x, sizes }, [result], x.isRaw)[0] as Signal;
}

/** The target's sizes, with 0 and -1 replaced by what they stand for. */
function resolved(builder: Builder, node: OnnxNode, x: Value, from: readonly Size[], stated: readonly Size[]): Size[] {
  const keepsZero = node.op === "Reshape" && builder.number(node, "allowzero", 0) === 1;
  const sizes = stated.map((size, axis): Size => {
    if (size === 0 && !keepsZero)
      return from[axis] ?? builder.refuse(node, `copies size ${axis} of ${shapeText(from)}`);
    if (isKnownSize(size) && !(Number.isSafeInteger(size) && size >= -1))
      return builder.refuse(node, `expected sizes, got ${shapeText(stated)}`);
    return size;
  });
  const total = productOf(from);
  const mismatch = (): never => builder.refuse(node, `cannot reshape ${shapeText(from)} to ${shapeText(stated)}`);
  // The file may have a fixed number of images, where the model takes any.
  const batch = x.kind === "signal" ? from[0] : undefined;
  if (batch !== undefined && !isKnownSize(batch) && isKnownSize(sizes[0] ?? batch) && sizes[0] !== -1) {
    const fixed = builder.statedBatch;
    const rest = exactly(sizes[0]!, fixed ?? 0);
    if (fixed !== undefined && rest !== undefined && !sizes.some((size) => !isKnownSize(size))) {
      const others = sizes.slice(1);
      const known = productOf(others.filter((size) => size !== -1));
      const first = productOf([batch, rest]);
      if (others.includes(-1) || sameSize(productOf([first, known]), total)) sizes[0] = first;
    }
  }
  const free = sizes.filter((size) => size === -1).length;
  if (free > 1) return mismatch();
  if (free === 1) {
    const known = productOf(sizes.filter((size) => size !== -1));
    if (isKnownSize(total) && isKnownSize(known) && (known === 0 || total % known !== 0)) return mismatch();
    const rest = exactly(total, known) ?? unknownSize(`(${shapeText([total])}/${shapeText([known])})`);
    return sizes.map((size) => (size === -1 ? rest : size));
  }
  const product = productOf(sizes);
  if (sameSize(product, total)) return sizes;
  if (isKnownSize(product) && isKnownSize(total)) return mismatch();
  // One size that only the run knows, and that has no name here, is what is left.
  const odd = sizes.filter((size) => !isKnownSize(size));
  const named = odd.filter((size) => from.some((own) => sameSize(own, size)));
  if (odd.length - named.length === 1) {
    const other = odd.find((size) => !named.includes(size))!;
    const rest = exactly(total, productOf(sizes.filter((size) => size !== other)));
    if (rest !== undefined) return sizes.map((size) => (size === other ? rest : size));
  }
  return mismatch();
}

function transpose(builder: Builder, node: OnnxNode, x: Value, given: readonly number[] | undefined): Value {
  const rank = shapeOfValue(x).length;
  const order = given ?? range(0, rank).toReversed();
  if (
    order.length !== rank ||
    new Set(order).size !== rank ||
    !order.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank)
  )
    return builder.refuse(node, `expected an order of ${rank} axes, got [${order.join(", ")}]`);
  if (x.kind === "signal") return { ...x, axes: order.map((axis) => x.axes[axis]!), origin: undefined };
  if (x.kind === "sizes") return x;
  const shape = order.map((axis) => x.shape[axis]!);
  return { ...x, shape, read: () => permuted(x.read(), x.shape, order) };
}

function squeeze(builder: Builder, node: OnnxNode): Value {
  const x = builder.input(node, 0);
  const shape = shapeOfValue(x);
  const given = builder.numbers(node, 1, "axes");
  const axes = new Set(
    given?.map((axis) => builder.axis(node, axis, shape.length)) ??
      shape.flatMap((size, axis) => (size === 1 ? [axis] : [])),
  );
  // A batch that the file fixes to 1 stays.
  const odd = [...axes].find((axis) => shape[axis] !== 1);
  if (odd !== undefined) return builder.refuse(node, `expected a size of 1 along axis ${odd}, got ${shapeText(shape)}`);
  const left = shape.filter((_, axis) => !axes.has(axis));
  if (x.kind === "signal") return { ...x, axes: x.axes.filter((_, axis) => !axes.has(axis)), origin: undefined };
  return x.kind === "sizes" ? { ...x, isScalar: true } : { ...x, shape: left as number[] };
}

function unsqueeze(builder: Builder, node: OnnxNode): Value {
  const x = builder.input(node, 0);
  const given = builder.numbers(node, 1, "axes") ?? builder.refuse(node, "expected axes");
  const rank = shapeOfValue(x).length + given.length;
  const axes = new Set(given.map((axis) => builder.axis(node, axis, rank)));
  if (axes.size !== given.length || rank > 12)
    return builder.refuse(node, `expected different axes, got [${given.join(", ")}]`);
  const spread = <T>(own: readonly T[], one: T): T[] => {
    const queue = [...own];
    return range(0, rank).map((axis) => (axes.has(axis) ? one : queue.shift()!));
  };
  if (x.kind === "signal") return { ...x, axes: spread<Axis>(x.axes, []), origin: undefined };
  if (x.kind === "constant") return { ...x, shape: spread(x.shape, 1) };
  if (rank > 1) return builder.refuse(node, "makes a matrix of sizes that only the run knows");
  return { ...x, isScalar: false };
}

function flatten(builder: Builder, node: OnnxNode): Value {
  const x = builder.input(node, 0);
  const shape = shapeOfValue(x);
  const at = builder.number(node, "axis", 1);
  const axis = at === shape.length ? at : builder.axis(node, at, shape.length);
  if (x.kind === "signal")
    return { ...x, axes: [x.axes.slice(0, axis).flat(), x.axes.slice(axis).flat()], origin: undefined };
  return reshape(builder, node, x, [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))]);
}

/** Repeats a value along axes of size 1, or adds axes. */
function expand(builder: Builder, node: OnnxNode, x: Value, target: readonly Size[]): Value {
  if (x.kind === "sizes") return builder.refuse(node, "repeats sizes that only the run knows");
  const own = shapeOfValue(x);
  const rank = Math.max(own.length, target.length);
  const wide = (sizes: readonly Size[]): Size[] => [...range(0, rank - sizes.length).map((): Size => 1), ...sizes];
  const [from, to] = [wide(own), wide(target)];
  const sizes = from.map((size, axis): Size =>
    to[axis] === 1 || to[axis] === -1 ? size : size === 1 ? to[axis]! : size,
  );
  if (x.kind === "constant") {
    if (sizes.every(isKnownSize)) {
      const axes = sizes.map((size) => [{ size }]);
      const whole = reshape(builder, node, x, from) as Constant;
      return builder.operation(node, "broadcastto", { x: whole, shape: sizes }, [
        { axes, physical: axes, type: x.type },
      ])[0]!;
    }
    return overBatch(builder, node, x, from as number[], sizes);
  }
  const same = sizes.every((size, axis) => sameSize(size, from[axis]!));
  const axes = [...range(0, rank - x.axes.length).map((): Axis => []), ...x.axes];
  if (same) return { ...x, axes };
  const signal = plain(builder, node, { ...x, axes }, range(0, rank));
  if (sizes.some((size, axis) => !isKnownSize(size) && from[axis] === 1))
    return builder.refuse(node, "repeats a value as often as only the run knows");
  const out = sizes.map((size, axis) => (sameSize(size, from[axis]!) ? signal.axes[axis]! : newAxis(size)));
  const repeats = sizes.map((size, axis) => (sameSize(size, from[axis]!) ? 1 : (size as number)));
  return builder.operation(
    node,
    "tile",
    { x: signal, repeats },
    [{ axes: out, physical: out, type: x.type }],
    x.isRaw,
  )[0]!;
}

/** A constant repeated for each image of the batch, along the axis of the target that is the batch. */
function overBatch(
  builder: Builder,
  node: OnnxNode,
  x: Constant,
  from: readonly number[],
  sizes: readonly Size[],
): Value {
  const { batch } = builder;
  const place = sizes.findIndex((size) => !isKnownSize(size));
  const others = sizes.filter((_, axis) => axis !== place);
  if (
    batch === undefined ||
    from[place] !== 1 ||
    !others.every(isKnownSize) ||
    !sameSize(sizes[place]!, sizeOfAxis(batch.axis))
  )
    return builder.refuse(node, `repeats a constant to ${shapeText(sizes)}, of which only the run knows sizes`);
  const whole = expand(builder, node, x, sizes.with(place, 1)) as Constant;
  const one = constantOf([1, ...others], x.type, whole.read());
  const rest = others.map((size) => newAxis(size));
  const result = { axes: rest.toSpliced(place, 0, batch.axis), physical: [batch.axis, ...rest], type: x.type };
  const [y] = builder.operation(node, "repeatlike", { x: one, like: batch.signal }, [result]);
  return { ...(y as Signal), origin: { op: "repeatlike", inputs: [one] } };
}

/** Whole numbers in order; as many as there are images if that is the limit. */
function sequence(builder: Builder, node: OnnxNode): Value {
  const bound = builder.input(node, 1);
  const [from, by] = [builder.constant(node, 0), builder.constant(node, 2)].map((own) => own.read()[0]);
  const { batch } = builder;
  if (
    batch !== undefined &&
    bound.kind === "sizes" &&
    sameSize(bound.items[0]!, sizeOfAxis(batch.axis)) &&
    from === 0 &&
    by === 1
  )
    return builder.operation(node, "rangelike", { like: batch.signal }, [
      { axes: [batch.axis], physical: [batch.axis], type: "int" },
    ])[0]!;
  const [start, limit, step] = [0, 1, 2].map((index) => builder.constant(node, index).read()[0]!) as [
    number,
    number,
    number,
  ];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!Number.isSafeInteger(count))
    return builder.refuse(node, `expected a range, got ${start} to ${limit} by ${step}`);
  builder.takeRoom(node, [count]);
  return constantOf(
    [count],
    builder.constant(node, 0).type,
    Float64Array.from({ length: count }, (_, index) => start + index * step),
  );
}

export const shapes: Readonly<Record<string, Read>> = {
  Shape: (builder, node) => {
    const shape = shapeOfValue(builder.input(node, 0));
    const bound = (name: string, otherwise: number): number => {
      const value = builder.number(node, name, otherwise);
      return Math.min(Math.max(value < 0 ? value + shape.length : value, 0), shape.length);
    };
    return knownOr(shape.slice(bound("start", 0), bound("end", shape.length)));
  },
  Size: (builder, node) => {
    const size = productOf(shapeOfValue(builder.input(node, 0)));
    return isKnownSize(size) ? constantOf([], "int", [size]) : { kind: "sizes", isScalar: true, items: [size] };
  },
  Reshape: (builder, node) => {
    const x = builder.input(node, 0);
    const target = sizesOf(builder, node, 1) ?? builder.ints(node, "shape") ?? builder.refuse(node, "expected a shape");
    return reshape(builder, node, x, target);
  },
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: (builder, node) => transpose(builder, node, builder.input(node, 0), builder.ints(node, "perm")),
  Expand: (builder, node) =>
    expand(
      builder,
      node,
      builder.input(node, 0),
      sizesOf(builder, node, 1) ?? builder.refuse(node, "expected a shape"),
    ),
  Tile: (builder, node) => {
    const x = builder.input(node, 0);
    const stated = sizesOf(builder, node, 1) ?? builder.refuse(node, "expected repeats");
    if (!stated.every(isKnownSize)) {
      const own = shapeOfValue(x);
      if (own.length !== stated.length || stated.some((count, axis) => !isKnownSize(count) && own[axis] !== 1))
        return builder.refuse(node, "repeats a value as often as only the run knows");
      return expand(
        builder,
        node,
        x,
        own.map((size, axis) => productOf([size, stated[axis]!])),
      );
    }
    const repeats = stated;
    const shape = shapeOfValue(x);
    if (
      x.kind === "sizes" ||
      repeats.length !== shape.length ||
      !repeats.every((count) => Number.isInteger(count) && count >= 0 && count < 2 ** 31)
    )
      return builder.refuse(node, `expected ${shape.length} repeats, got [${repeats.join(", ")}]`);
    if (repeats.every((count) => count === 1)) return x;
    const value = x.kind === "signal" ? plain(builder, node, x, range(0, shape.length)) : x;
    const axes = shape.map((size, axis) =>
      value.kind === "signal" && repeats[axis] === 1 ? value.axes[axis]! : newAxis(productOf([size, repeats[axis]!])),
    );
    return builder.operation(node, "tile", { x: value, repeats }, [{ axes, physical: axes, type: x.type }])[0]!;
  },
  Constant: (builder, node) => {
    const { value, value_float: float, value_floats: floats, value_int: int, value_ints: ints } = node.attributes;
    if (typeof value === "object" && "kind" in value && value.kind === "constant") return value;
    if (typeof float === "number") return constantOf([], "float", [float]);
    if (typeof int === "number") return constantOf([], "int", [int]);
    if (Array.isArray(floats)) return constantOf([floats.length], "float", floats as number[]);
    if (Array.isArray(ints)) return constantOf([ints.length], "int", ints as number[]);
    return builder.refuse(node, "has a value of a kind that is not known");
  },
  ConstantOfShape: (builder, node) => {
    const sizes = sizesOf(builder, node, 0)!;
    const given = node.attributes["value"] as Constant | undefined;
    const value = given ?? constantOf([1], "float", [0]);
    const one = constantOf(
      sizes.map(() => 1),
      value.type,
      [value.read()[0] ?? 0],
    );
    return sizes.length === 0 ? constantOf([], value.type, one.read()) : expand(builder, node, one, sizes);
  },
  Range: sequence,
  DepthToSpace: (builder, node) => blocks(builder, node, true),
  SpaceToDepth: (builder, node) => blocks(builder, node, false),
};

/** A list of sizes as a constant, if all are known. */
export function knownOr(items: readonly Size[]): Constant | Sizes {
  return items.every(isKnownSize)
    ? constantOf([items.length], "int", items)
    : { kind: "sizes", isScalar: false, items };
}

/** Moves blocks of pixels to channels or back: a reshape, a transpose and a reshape, which cost nothing until they are needed. */
function blocks(builder: Builder, node: OnnxNode, toSpace: boolean): Value {
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
