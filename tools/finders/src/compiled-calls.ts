import type { Compiled } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";

type Op = (...args: unknown[]) => unknown;
type Compile = (fn: Op, options: { deterministic: boolean }) => Compiled<unknown[], unknown>;
interface Core {
  readonly [name: string]: unknown;
  readonly Tensor: abstract new () => tf.Tensor;
  tensor(data: tf.TypedArray, shape: number[], dtype: tf.DataType): tf.Tensor;
}
interface Values {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** What calls of ops came to, compiled and eagerly. */
export interface CompiledReport {
  equal: number;
  /** Functions that cannot be compiled and say so: op and message. */
  readonly refused: Record<string, string>;
  readonly different: { readonly op: string; readonly spec: string; readonly message: string }[];
}

/** Exported functions whose calls are not compiled, with the reason. */
const leftOut: readonly (readonly [names: RegExp, reason: string])[] = [
  [
    /^(random|multinomial|dropout|rand|truncatedNormal)/i,
    "they draw; random.test.ts of @convkit/graph compares distributions",
  ],
  [/Async$|^(keep|dispose|tidy|time|print|profile)$/, "they read or keep tensors, and compute nothing"],
  [
    /^(tensor\d?d?|scalar|variable|buffer|complex|op|customGrad|variableGrads|train)$/,
    "they make tensors and functions",
  ],
];

const gradients = new Set(["grad", "grads", "valueAndGrad", "valueAndGrads"]);

/** tfjs-core's exports, whose ops and gradients are also called compiled: on the call's tensors and on changed ones of the same shapes. */
export function withCompiledCalls(core: Core, compile: Compile, spec: () => string, report: CompiledReport): object {
  let isBusy = false;
  const alone = <T>(fn: () => T): T => {
    isBusy = true;
    try {
      return fn();
    } finally {
      isBusy = false;
    }
  };
  const isTensor = (value: unknown): value is tf.Tensor => value instanceof core.Tensor;
  const check = (name: string, op: Op, args: unknown[], changed: boolean) => {
    const places = args.flatMap((arg, place) => (isTensor(arg) ? [place] : []));
    const given = places.map((place) => changedTensor(core, args[place] as tf.Tensor, changed));
    const call = (...tensors: unknown[]) =>
      op(...args.map((arg, i) => (places.includes(i) ? tensors[places.indexOf(i)] : arg)));
    let expected: Values[];
    try {
      expected = valuesOf(call(...given), isTensor);
    } catch {
      return; // The op refuses the changed numbers.
    }
    const compiled = compile(call, { deterministic: true });
    try {
      const message = difference(expected, [compiled.now(...given)].flat(2).flatMap(entries));
      if (message === undefined) report.equal += 1;
      else report.different.push({ op: name, spec: spec(), message });
    } catch (error) {
      const { name: kind, message } = error as Error;
      if (kind === "GraphError") report.refused[name] = message.slice(0, 200);
      else report.different.push({ op: name, spec: spec(), message });
    } finally {
      void compiled.dispose();
    }
  };
  const wrapped = (name: string, op: Op): Op =>
    function (this: unknown, ...args) {
      if (isBusy) return op.apply(this, args);
      const result = alone(() => op.apply(this, args));
      if (args.some(isTensor) && [result].flat().some((each) => isTensor(each) || gradients.has(name)))
        alone(() => [false, true].forEach((changed) => check(name, op, args, changed)));
      return result;
    };
  const entriesOf = Object.keys(core).map((name): [string, unknown] => {
    const value = core[name];
    const isOp = typeof value === "function" && /^[a-z]/.test(name) && !leftOut.some(([names]) => names.test(name));
    if (!isOp) return [name, value];
    if (!gradients.has(name)) return [name, Object.assign(wrapped(name, value as Op), value)];
    return [name, (f: unknown) => wrapped(name, (value as (f: unknown) => Op)(f))];
  });
  return Object.fromEntries(entriesOf);
}

/** A copy; where `changed`, of other numbers. Whole numbers, which may be places, stay. */
function changedTensor(core: Core, x: tf.Tensor, changed: boolean): tf.Tensor {
  const data = x.dataSync().slice();
  if (changed && x.dtype === "float32") for (const [i, value] of data.entries()) data[i] = value * 0.75 + 0.125;
  return core.tensor(data, x.shape, x.dtype);
}

function entries(value: unknown): Values[] {
  if (typeof value !== "object" || value === null) return [];
  if ("data" in value && "shape" in value) return [value as Values];
  return Object.values(value).flatMap(entries);
}

function valuesOf(result: unknown, isTensor: (value: unknown) => value is tf.Tensor): Values[] {
  if (isTensor(result)) return [{ data: result.dataSync(), shape: result.shape }];
  if (typeof result !== "object" || result === null) return [];
  return Object.values(result).flatMap((each) => valuesOf(each, isTensor));
}

/** The first difference of results; undefined where they are equal to float32's rounding. */
function difference(expected: readonly Values[], got: readonly Values[]): string | undefined {
  if (expected.length !== got.length) return `expected ${expected.length} tensors, got ${got.length}`;
  for (const [index, { data, shape }] of expected.entries()) {
    const other = got[index]!;
    if (String(shape) !== String(other.shape))
      return `expected the shape [${shape.join()}], got [${other.shape.join()}]`;
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [Number(data[i]), Number(other.data[i])];
      if (Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a))) continue;
      return `expected ${a}, got ${b} at ${i} of [${shape.join()}]`;
    }
  }
  return undefined;
}
