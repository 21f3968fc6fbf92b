import { plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { isKnownSize, sameSize, shapeText } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { reshape } from "./reshape.ts";
import { shapeOfValue } from "./shape-of.ts";

/** Repeats a value along axes of size 1, or adds axes. */
export function expand(builder: Builder, node: OnnxNode, x: Value, target: readonly Size[]): Value {
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
export function sequence(builder: Builder, node: OnnxNode): Value {
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
