import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { Slot } from "./config.ts";
import type { LayerCall } from "./config.ts";

/** The size of an axis: a number, or the batch, which is the size of axis 0 of every tensor. */
type Size = number | { readonly axis: 0 };

/** Sizes that Keras 2 computes by layers of its own: `tf.shape(x)` and what is taken or computed of it. */
export class SizeValue {
  readonly value: Size | readonly Size[];
  constructor(value: Size | readonly Size[]) {
    this.value = value;
  }
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  addv2: (a, b) => a + b,
  floor_div: (a, b) => Math.floor(a / b),
  floordiv: (a, b) => Math.floor(a / b),
  maximum: Math.max,
  minimum: Math.min,
  mul: (a, b) => a * b,
  multiply: (a, b) => a * b,
  sub: (a, b) => a - b,
  subtract: (a, b) => a - b,
};

/** `tf.shape` of a tensor; undefined if another size than the batch is unknown. */
export function shapeValue(shape: readonly (number | null)[]): SizeValue | undefined {
  const sizes = shape.map((size, axis): Size | undefined => size ?? (axis === 0 ? { axis: 0 } : undefined));
  return sizes.includes(undefined) ? undefined : new SizeValue(sizes as Size[]);
}

/**
 * The sizes that an operation makes of sizes alone, one value for each output; undefined for an operation that is not
 * known for sizes, or of a size that depends on the batch.
 */
export function computedSizes(
  operation: string,
  { args, kwargs }: LayerCall,
  inputs: readonly SizeValue[],
): readonly SizeValue[] | undefined {
  const plain = (value: unknown): unknown =>
    value instanceof Slot
      ? inputs[value.index]!.value
      : Array.isArray(value)
        ? value.map(plain)
        : isObject(value) && Object.keys(value).length === 0
          ? undefined
          : value;
  const given = [...args, ...Object.entries(kwargs).flatMap(([key, value]) => (/^[xy]$/.test(key) ? [value] : []))];
  const [a, b] = given.map(plain);
  if (["cast", "identity"].includes(operation)) return valueOf(a);
  if (operation === "unstack" && Array.isArray(a)) return a.map((size: Size) => new SizeValue(size));
  if (operation === "getitem" && Array.isArray(a)) return valueOf(taken(a as Size[], kwargs["slice_spec"]));
  if (["stack", "concat"].includes(operation)) return valueOf([a].flat(2));
  if (operation === "reduce_prod") return valueOf(numbersOf([a].flat())?.reduce((product, size) => product * size, 1));
  if (!Object.hasOwn(arithmetic, operation)) return undefined;
  const [left, right] = [numbersOf([a].flat()), numbersOf([b].flat())];
  if (left === undefined || right === undefined) return undefined;
  const all = Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    arithmetic[operation]!(left[i] ?? left[0]!, right[i] ?? right[0]!),
  );
  return valueOf(Array.isArray(a) || Array.isArray(b) ? all : all[0]);
}

function valueOf(value: unknown): readonly SizeValue[] | undefined {
  const isWhole = value !== undefined && [value].flat().every(isSize);
  return isWhole ? [new SizeValue(value as Size | Size[])] : undefined;
}

function isSize(value: unknown): value is Size {
  return typeof value === "number" || (isObject(value) && value["axis"] === 0);
}

function numbersOf(values: readonly unknown[]): readonly number[] | undefined {
  return values.every((value) => typeof value === "number") ? (values as number[]) : undefined;
}

/** Python's index of a list: a number, or one slice. */
function taken(sizes: readonly Size[], key: unknown): unknown {
  const part: unknown = Array.isArray(key) && key.length === 1 ? key[0] : key;
  if (typeof part === "number") return sizes.at(part);
  if (!isObject(part) || (part["step"] ?? 1) !== 1) return undefined;
  const bound = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return sizes.slice(bound(part["start"]), bound(part["stop"]));
}

/** A call with the sizes among its inputs in the place of their slots, and a reshape that keeps the batch by -1. */
export function withSizes(operation: string | undefined, call: LayerCall, inputs: readonly unknown[]): LayerCall {
  const kept = [...inputs.keys()].filter((index) => !(inputs[index] instanceof SizeValue));
  const fill = (value: unknown): unknown => {
    if (value instanceof Slot) {
      const input = inputs[value.index];
      return input instanceof SizeValue ? input.value : new Slot(kept.indexOf(value.index));
    }
    if (Array.isArray(value)) return value.map(fill);
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part)])) : value;
  };
  const kwargs = fill(call.kwargs) as JsonObject;
  const sizes = kwargs["shape"];
  const first: unknown = Array.isArray(sizes) ? sizes[0] : undefined;
  const isOfBatch =
    operation === "reshape" && isObject(first) && numbersOf((sizes as unknown[]).slice(1)) !== undefined;
  return {
    ...call,
    inputs: kept.map((index) => call.inputs[index]!),
    args: call.args.map(fill),
    kwargs: isOfBatch ? { ...kwargs, shape: keptBatch(call.shape, (sizes as number[]).slice(1), first) } : kwargs,
  };
}

/** The sizes of a reshape whose first is the batch: -1 and numbers, if a sample's count of numbers is known. */
function keptBatch(shape: LayerCall["shape"], rest: readonly number[], batch: unknown): readonly unknown[] {
  const sample = numbersOf((shape ?? [null, null]).slice(1));
  if (sample === undefined) return [batch, ...rest];
  const countOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
  const free = countOf(sample) / countOf(rest.filter((size) => size >= 0));
  return [-1, ...rest.map((size) => (size < 0 ? free : size))];
}
