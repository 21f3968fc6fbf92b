import { plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { permuted } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, regrouped, shapeOf, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { exactly, isKnownSize, productOf, sameSize, shapeText, unknownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { shapeOfValue } from "./shape-of.ts";

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
  if (x.kind === "signal") withAnyBatch(builder, from, sizes);
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

/**
 * The file may fix the number of images, where the model takes any: states the batch in the target. Behind other axes it
 * must be an axis of its own, between the same elements as in `from`.
 */
function withAnyBatch(builder: Builder, from: readonly Size[], sizes: Size[]): void {
  const place = from.findIndex((size) => !isKnownSize(size));
  const fixed = builder.statedBatch;
  if (place === -1 || fixed === undefined || sizes.some((size) => !isKnownSize(size))) return;
  const batch = builder.batch === undefined ? from[place]! : sizeOfAxis(builder.batch.axis);
  const [before, behind] = [productOf(from.slice(0, place)), productOf(from.slice(place + 1))];
  const isOwn = (size: Size, axis: number): boolean =>
    size === fixed &&
    !sizes.includes(-1) &&
    sameSize(from[place]!, batch) &&
    sameSize(productOf(sizes.slice(0, axis)), before) &&
    sameSize(productOf(sizes.slice(axis + 1)), behind);
  const at = place === 0 ? 0 : sizes.findIndex(isOwn);
  const rest = at === -1 || sizes[at] === -1 || sizes.length === 0 ? undefined : exactly(sizes[at]!, fixed);
  if (rest === undefined) return;
  const others = sizes.toSpliced(at, 1);
  const known = productOf(others.filter((size) => size !== -1));
  const first = productOf([batch, rest]);
  if (others.includes(-1) || sameSize(productOf([first, known]), productOf(from))) sizes[at] = first;
}

export function transpose(builder: Builder, node: OnnxNode, x: Value, given: readonly number[] | undefined): Value {
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

export function squeeze(builder: Builder, node: OnnxNode): Value {
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

export function unsqueeze(builder: Builder, node: OnnxNode): Value {
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

export function flatten(builder: Builder, node: OnnxNode): Value {
  const x = builder.input(node, 0);
  const shape = shapeOfValue(x);
  const at = builder.number(node, "axis", 1);
  const axis = at === shape.length ? at : builder.axis(node, at, shape.length);
  if (x.kind === "signal")
    return { ...x, axes: [x.axes.slice(0, axis).flat(), x.axes.slice(axis).flat()], origin: undefined };
  return reshape(builder, node, x, [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))]);
}
