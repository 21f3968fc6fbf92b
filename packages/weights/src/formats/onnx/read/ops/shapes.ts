import { plain, range } from "../arrange.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import { newAxis } from "../signal.ts";
import { isKnownSize, productOf } from "../sizes.ts";
import { blocks } from "./blocks.ts";
import { expand, sequence } from "./expand.ts";
import type { Read } from "./read.ts";
import { flatten, reshape, squeeze, transpose, unsqueeze } from "./reshape.ts";
import { knownOr, shapeOfValue, sizesOf } from "./shape-of.ts";

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
