import type { Value } from "../value.ts";
import { scalarOf } from "../constant.ts";
import { keras3HardSigmoid } from "../../../../layers/activations.ts";
import type { Signal } from "../signal.ts";

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-4 * Math.abs(b);

function originOf(value: unknown, op: string): readonly unknown[] | undefined {
  const { origin } = (value ?? {}) as Signal;
  return origin?.op === op ? origin.inputs : undefined;
}

function scalar(value: unknown): number | undefined {
  const { kind, shape } = value as { kind: string; shape?: readonly number[] };
  return kind === "constant" && shape!.every((size) => size === 1) ? scalarOf(value as never) : undefined;
}

/** `x` of `x * sigmoid(x)`, `x * tanh(softplus(x))` or `x * hardSigmoid(x)`, and tfjs' name of the activation. */
export function sourceOfSwish(values: readonly Value[]): { x: Signal; name: string } | undefined {
  for (const [x, gate] of [values, values.toReversed()]) {
    if (x?.kind !== "signal") continue;
    if (originOf(gate, "Sigmoid")?.[0] === x) return { x, name: "swish" };
    if (originOf(gate, `HardSigmoid ${keras3HardSigmoid}`)?.[0] === x) return { x, name: "hardSwish" };
    if (originOf(originOf(gate, "Tanh")?.[0], "Softplus")?.[0] === x) return { x, name: "mish" };
  }
  return undefined;
}

/** The factors of a product of products, and the product of its numbers. Signals in `leaves` are not taken apart. */
function factorsOf(
  values: readonly unknown[],
  leaves: ReadonlySet<unknown>,
  depth = 4,
): { factors: unknown[]; coefficient: number } {
  const parts = values.map((value) => {
    const number = scalar(value);
    if (number !== undefined) return { factors: [], coefficient: number };
    if (leaves.has(value) || depth === 0) return { factors: [value], coefficient: 1 };
    const product = originOf(value, "Mul");
    if (product !== undefined) return factorsOf(product, leaves, depth - 1);
    const quotient = originOf(value, "Div");
    const divisor = quotient === undefined ? undefined : scalar(quotient[1]);
    if (divisor === undefined) return { factors: [value], coefficient: 1 };
    const inner = factorsOf([quotient![0]], leaves, depth - 1);
    return { factors: inner.factors, coefficient: inner.coefficient / divisor };
  });
  return {
    factors: parts.flatMap(({ factors }) => factors),
    coefficient: parts.reduce((product, part) => product * part.coefficient, 1),
  };
}

/** `f` of `1 + f(z)`, where `f` is this operator, and `z`. */
function onePlus(value: unknown, op: string): unknown {
  const sum = originOf(value, "Add");
  const other = sum?.find((part) => scalar(part) === undefined);
  return sum?.some((part) => scalar(part) === 1) === true ? originOf(other, op)?.[0] : undefined;
}

/** The signal `1 + f(z)` among the factors of a product, and `z`. */
function gateOf(values: readonly Value[], op: string): { gate: unknown; z: unknown } | undefined {
  const near = values.flatMap((value) => [value, ...(originOf(value, "Mul") ?? [])]);
  for (const gate of near) {
    const z = onePlus(gate, op);
    if (z !== undefined) return { gate, z };
  }
  return undefined;
}

function isHalf(values: readonly Value[], x: unknown, gate: unknown): boolean {
  const { factors, coefficient } = factorsOf(values, new Set([x, gate]));
  return factors.length === 2 && factors.includes(x) && factors.includes(gate) && near(coefficient, 0.5);
}

/** `x` of `x / 2 * (1 + erf(x / sqrt(2)))`. */
export function isGelu(values: readonly Value[]): Signal | undefined {
  const found = gateOf(values, "Erf");
  if (found === undefined) return undefined;
  const [x] = originOf(found.z, "Div") ?? originOf(found.z, "Mul")?.filter((part) => scalar(part) === undefined) ?? [];
  if (x === undefined) return undefined;
  const inner = factorsOf([found.z], new Set([x]));
  return inner.factors[0] === x && near(inner.coefficient, Math.SQRT1_2) && isHalf(values, x, found.gate)
    ? (x as Signal)
    : undefined;
}

/** `x` of `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`. */
export function isTanhGelu(values: readonly Value[]): Signal | undefined {
  const found = gateOf(values, "Tanh");
  if (found === undefined) return undefined;
  const inner = factorsOf([found.z], new Set());
  const sum = originOf(inner.factors[0], "Add");
  if (inner.factors.length !== 1 || sum === undefined || !near(inner.coefficient, Math.sqrt(2 / Math.PI)))
    return undefined;
  for (const [x, cube] of [sum, sum.toReversed()]) {
    const { factors, coefficient } = factorsOf([cube], new Set([x]));
    const isCube =
      (factors.length === 3 && factors.every((factor) => factor === x)) ||
      (factors.length === 1 && originOf(factors[0], "Pow")?.[0] === x && scalar(originOf(factors[0], "Pow")![1]) === 3);
    if (isCube && near(coefficient, 0.044715) && isHalf(values, x, found.gate)) return x as Signal;
  }
  return undefined;
}
