import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { constantOf } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { computed, isKnownSize, productOf, sameSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { knownOr } from "./shape-of.ts";

interface List {
  readonly items: readonly Size[];
  readonly isScalar: boolean;
}

/**
 * Arithmetic with sizes of which some are known only when the model runs, as shapes are computed in a graph. Undefined if
 * the node is none of it.
 */
export function ofSizes(builder: Builder, node: OnnxNode): Value | undefined {
  const inputs = node.inputs.map((_, index) => builder.optional(node, index));
  if (!inputs.some((value) => value?.kind === "sizes")) return undefined;
  const lists = inputs.map((value): List | undefined => {
    if (value === undefined || value.kind === "signal") return undefined;
    if (value.kind === "sizes") return value;
    return value.shape.length > 1 ? undefined : { items: Array.from(value.read()), isScalar: value.shape.length === 0 };
  });
  const run = Object.hasOwn(folds, node.op) && node.domain === "" ? folds[node.op] : undefined;
  if (run === undefined || lists.some((list, index) => list === undefined && inputs[index] !== undefined))
    return undefined;
  const result = run(builder, node, lists as List[]);
  if (result === undefined) return undefined;
  if (result.isScalar && isKnownSize(result.items[0]!)) return constantOf([], "int", result.items as number[]);
  return result.isScalar ? { kind: "sizes", ...result } : knownOr(result.items);
}

type Fold = (builder: Builder, node: OnnxNode, lists: readonly List[]) => List | undefined;

function zipped(a: List, b: List, run: (x: Size, y: Size) => Size): List {
  const count = Math.max(a.items.length, b.items.length);
  const at = (list: List, index: number): Size => list.items[list.items.length === 1 ? 0 : index] ?? 1;
  return {
    isScalar: a.isScalar && b.isScalar,
    items: Array.from({ length: count }, (_, index) => run(at(a, index), at(b, index))),
  };
}

const arithmetic =
  (op: "+" | "-" | "*" | "/" | "%"): Fold =>
  (_, __, [a, b]) =>
    zipped(a!, b!, (x, y) => computed(op, x, y));

const folds: Readonly<Record<string, Fold>> = {
  Add: arithmetic("+"),
  Sub: arithmetic("-"),
  Mul: arithmetic("*"),
  Div: arithmetic("/"),
  Mod: arithmetic("%"),
  Cast: (_, __, [x]) => x,
  Floor: (_, __, [x]) => x,
  Ceil: (_, __, [x]) => x,
  Identity: (_, __, [x]) => x,
  Concat: (_, __, lists) => ({ isScalar: false, items: lists.flatMap(({ items }) => items) }),
  Gather: (builder, node, [x, at]) => ({
    isScalar: at!.isScalar,
    items: at!.items.map((index) => {
      const own = Number(index) < 0 ? Number(index) + x!.items.length : Number(index);
      return x!.items[own] ?? builder.refuse(node, `takes place ${String(index)} of ${x!.items.length}`);
    }),
  }),
  Slice: (builder, node, [x, ...bounds]) => {
    const first = (index: number, name: string, otherwise: number): number =>
      Number(bounds[index]?.items[0] ?? builder.ints(node, name)?.[0] ?? otherwise);
    const [start, end, step] = [first(0, "starts", 0), first(1, "ends", 2 ** 31), first(3, "steps", 1)];
    const whole = x!.items;
    const to = end < 0 ? end + whole.length : end;
    const part = whole.slice(start < 0 ? Math.max(0, start + whole.length) : start, Math.max(0, to));
    return step === 1 ? { isScalar: false, items: part } : undefined;
  },
  ReduceProd: (builder, node, [x]) => ({
    isScalar: builder.number(node, "keepdims", 1) === 0,
    items: [productOf(x!.items)],
  }),
  // A size is never negative, and an unknown size is taken to differ from 1: the file was traced with such a size.
  Equal: (_, __, [a, b]) => zipped(a!, b!, (x, y) => (sameSize(x, y) ? 1 : 0)),
  Where: (_, __, [condition, a, b]) => {
    const picks = condition!.items;
    return {
      isScalar: false,
      items: picks.map(
        (pick, index) => (pick === 0 ? b! : a!).items[(pick === 0 ? b! : a!).items.length === 1 ? 0 : index]!,
      ),
    };
  },
  Max: (_, __, [a, b]) => (sameSize(a!.items[0]!, b?.items[0] ?? a!.items[0]!) ? a : undefined),
};
