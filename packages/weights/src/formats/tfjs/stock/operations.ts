import type * as tfl from "@tensorflow/tfjs-layers";
import type { Operation } from "../../../operations/operation.ts";
import { atLeast, atMost, minus } from "./activations.ts";
import { slicedMap } from "./shapes.ts";
import { activated, added, clippedReLU, multiplied, padded, perChannel, rescaled } from "./stock-row.ts";
import { reshaped, row, transposed, unchanged } from "./stock-row.ts";
import type { Floats, HeldLayer, Source } from "./stock-row.ts";

/** An argument of an operation: an input of the layer, one number, or one for each channel. */
type Operand = { readonly source: number } | { readonly number: number } | { readonly vector: readonly number[] };

interface Call {
  readonly held: HeldLayer;
  readonly values: Readonly<Record<string, unknown>>;
  /** The shape of the layer's first input, and of its output. */
  readonly shape: tfl.Shape;
  readonly output: tfl.Shape;
}

type Lower = (call: Call) => Source | string;

const isNumber = (value: unknown): value is number => typeof value === "number";

function operandOf(value: unknown): Operand | undefined {
  if (isNumber(value)) return { number: value };
  if (Array.isArray(value)) return operandOf({ constant: value });
  if (typeof value !== "object" || value === null) return undefined;
  const { slot, constant, number } = value as { slot?: unknown; constant?: unknown; number?: unknown };
  if (isNumber(slot)) return { source: slot };
  if (typeof number === "string") return { number: Number(number) };
  if (isNumber(constant)) return { number: constant };
  // Axes of size 1 before the channels change nothing.
  let list = constant;
  while (Array.isArray(list) && list.length === 1 && Array.isArray(list[0])) list = list[0] as unknown;
  if (!Array.isArray(list) || !list.every(isNumber)) return undefined;
  return list.length === 1 ? { number: list[0]! } : { vector: list };
}

const unknownOperand = "it computes with a constant that has more than one number for each channel";

/** `x * factor + offset`, with a number or a list of one number for each channel. */
function scaled({ held }: Call, source: number, factor: Operand, offset: Operand): Source | string {
  const shape = held.inputs[source]!;
  const channels = shape.at(-1)!;
  if ("number" in factor && "number" in offset) return rescaled(source, factor.number, offset.number);
  const list = (operand: Operand): Floats | undefined =>
    "number" in operand
      ? new Float32Array(channels).fill(operand.number)
      : "vector" in operand && operand.vector.length === channels
        ? Float32Array.from(operand.vector)
        : undefined;
  const [factors, offsets] = [list(factor), list(offset)];
  if (factors === undefined || offsets === undefined || shape.length < 2) return unknownOperand;
  return perChannel(
    source,
    shape.length,
    channels,
    () => factors,
    () => offsets,
  );
}

/** A function of two operands, one of which may be constant. */
function twoOperands(
  both: (a: number, b: number) => Source | string,
  one: (call: Call, source: number, constant: Operand, isFirst: boolean) => Source | string,
): Lower {
  return (call) => {
    const [a, b] = [operandOf(call.values["x1"]), operandOf(call.values["x2"])];
    if (a === undefined || b === undefined) return unknownOperand;
    if ("source" in a && "source" in b) {
      const [left, right] = [call.held.inputs[a.source]!, call.held.inputs[b.source]!];
      return left.length === right.length ? both(a.source, b.source) : "its inputs have different numbers of axes";
    }
    if ("source" in a) return one(call, a.source, b, true);
    return "source" in b ? one(call, b.source, a, false) : "it has no input";
  };
}

const mapped = (operand: Operand, run: (value: number) => number): Operand =>
  "number" in operand
    ? { number: run(operand.number) }
    : "vector" in operand
      ? { vector: operand.vector.map(run) }
      : operand;
const times = (value: number): Operand => ({ number: value });

const bound = (className: "Maximum" | "Minimum"): Lower =>
  twoOperands(
    (a, b) => row(className, {}, a === b ? [a, unchanged(b)] : [a, b]),
    (_, source, constant) =>
      "number" in constant
        ? className === "Maximum"
          ? atLeast(source, constant.number)
          : atMost(source, constant.number)
        : unknownOperand,
  );

/** The sizes of the output after the batch, which stays; undefined if one is unknown. */
function sizesAfterBatch({ output, shape }: Call): number[] | undefined {
  const sizes = output.slice(1);
  const isWhole = output[0] === shape[0] && output.length > 0;
  return isWhole && sizes.every(isNumber) ? (sizes as number[]) : undefined;
}

/** The order of elements stays: only the shape differs. */
const reshape: Lower = (call) => {
  const sizes = sizesAfterBatch(call);
  return sizes === undefined ? "it changes the batch, or a size is not known" : reshaped(0, sizes);
};

/** A function of one input as an activation of stock tfjs. */
const activation =
  (name: string): Lower =>
  () =>
    activated(0, name);

const reduction =
  (mode: "Average" | "Max"): Lower =>
  (call) => {
    const { values, shape } = call;
    const rank = shape.length;
    const axes = [values["axis"]].flat().map((axis) => (Number(axis) < 0 ? Number(axis) + rank : Number(axis)));
    const isOverAll = rank >= 3 && rank <= 4 && String(axes.toSorted()) === String(rank === 3 ? [1] : [1, 2]);
    if (!isOverAll) return "it reduces other axes than all between batch and channels";
    const pool = row(`Global${mode}Pooling${rank - 2}D`, rank === 4 ? { data_format: "channels_last" } : {}, [0]);
    const sizes = sizesAfterBatch(call);
    return values["keepdims"] !== true ? pool : sizes === undefined ? "a size is not known" : reshaped(pool, sizes);
  };

const concatenate: Lower = ({ values, output }) => {
  const parts = Array.isArray(values["xs"]) ? (values["xs"] as unknown[]).map(operandOf) : [];
  const sources = parts.map((part) => (part !== undefined && "source" in part ? part.source : undefined));
  const own = Number(values["axis"] ?? -1);
  const axis = own < 0 ? own + output.length : own;
  if (sources.length < 2 || !sources.every(isNumber)) return "it joins constants";
  const distinct = sources.map((source, index) => (sources.indexOf(source) === index ? source : unchanged(source)));
  return axis === 0 ? "its axis is the batch" : row("Concatenate", { axis }, distinct);
};

const transpose: Lower = ({ values, shape }) => {
  const rank = shape.length;
  const given = (values["axes"] as readonly number[] | undefined) ?? [...shape.keys()].toReversed();
  const order = given.map((axis) => (axis < 0 ? axis + rank : axis));
  return order[0] === 0 ? transposed(0, order) : "it moves the batch";
};

const clip: Lower = ({ values }) => {
  const [low, high] = [operandOf(values["x_min"]), operandOf(values["x_max"])];
  const isFree = (side: unknown): boolean => side === undefined || side === null;
  if ((low === undefined && !isFree(values["x_min"])) || (high === undefined && !isFree(values["x_max"])))
    return unknownOperand;
  if ((low !== undefined && !("number" in low)) || (high !== undefined && !("number" in high))) return unknownOperand;
  if (low?.number === 0 && high !== undefined && high.number > 0) return clippedReLU(0, high.number);
  const raised = low === undefined ? unchanged(0) : atLeast(0, low.number);
  return high === undefined ? raised : atMost(raised, high.number);
};

const matmul: Lower = ({ values, held }) => {
  const [a, b] = [operandOf(values["x1"]), operandOf(values["x2"])];
  if (a === undefined || b === undefined || !("source" in a) || !("source" in b)) return "it multiplies by a constant";
  const ranks = [a.source, b.source].map((source) => held.inputs[source]!.length);
  if (a.source === b.source || ranks.some((rank) => rank !== 3)) return "its factors are not lists of matrices";
  return row("Dot", { axes: [2, 1], normalize: false }, [a.source, b.source]);
};

const getItem: Lower = ({ held, values, shape }) => {
  const whole = { start: null, stop: null, step: null };
  const key = (values["key"] as unknown[]).concat(Array.from({ length: 4 }, () => whole)).slice(0, shape.length);
  return slicedMap({ ...held, config: { pieces: key } });
};

const pad: Lower = ({ values, shape }) => {
  const widths = values["pad_width"] as readonly (readonly [number, number])[] | undefined;
  const isZero = (side: unknown): boolean => Array.isArray(side) && side.every((size) => size === 0);
  const isConstant = (values["mode"] ?? "constant") === "constant" && Number(values["constant_values"] ?? 0) === 0;
  if (!isConstant || shape.length !== 4 || !Array.isArray(widths) || !isZero(widths[0]) || !isZero(widths[3]))
    return "it is no padding of a map's rows and columns with zeros";
  const made = padded(0, [widths[1]!, widths[2]!]);
  return typeof made === "number" ? unchanged(made) : made;
};

const power: Lower = ({ values }) => {
  const exponent = operandOf(values["x2"]);
  const whole = exponent !== undefined && "number" in exponent ? exponent.number : NaN;
  if (!Number.isInteger(whole) || whole < 1 || whole > 8) return "no stock layer raises to this power";
  return whole === 1 ? unchanged(0) : multiplied(...Array.from({ length: whole }, () => 0));
};

const sum = twoOperands(
  (a, b) => added(a, b),
  (call, source, constant) => scaled(call, source, times(1), constant),
);
const quotient: Lower = twoOperands(
  () => "no stock layer divides two inputs",
  (call, source, constant, isFirst) =>
    isFirst
      ? scaled(
          call,
          source,
          mapped(constant, (value) => 1 / value),
          times(0),
        )
      : "no stock layer divides by an input",
);
const same: Lower = () => unchanged(0);

/** The operations that stock layers compute. */
const lowered: Readonly<Record<string, Lower>> = {
  add: sum,
  addv2: sum,
  subtract: twoOperands(
    (a, b) => minus(a, b),
    (call, source, constant, isFirst) =>
      isFirst
        ? scaled(
            call,
            source,
            times(1),
            mapped(constant, (value) => -value),
          )
        : scaled(call, source, times(-1), constant),
  ),
  multiply: twoOperands(
    (a, b) => multiplied(a, b),
    (call, source, constant) => scaled(call, source, constant, times(0)),
  ),
  divide: quotient,
  truedivide: quotient,
  maximum: bound("Maximum"),
  minimum: bound("Minimum"),
  negative: () => rescaled(0, -1),
  square: () => multiplied(0, 0),
  power,
  identity: same,
  stopgradient: same,
  relu: activation("relu"),
  relu6: () => clippedReLU(0, 6),
  sigmoid: activation("sigmoid"),
  tanh: activation("tanh"),
  softplus: activation("softplus"),
  softsign: activation("softsign"),
  selu: activation("selu"),
  silu: activation("swish"),
  mish: activation("mish"),
  leakyrelu: ({ values }) => row("LeakyReLU", { alpha: Number(values["negative_slope"] ?? 0.2) }),
  clip,
  concatenate,
  reshape,
  reshapelike: reshape,
  squeeze: reshape,
  expanddims: reshape,
  transpose,
  matmul,
  mean: reduction("Average"),
  max: reduction("Max"),
  amax: reduction("Max"),
  getitem: getItem,
  pad,
};

/** The names of those operations, for the documentation. */
export const loweredOperations: readonly string[] = Object.keys(lowered);

/** An operation between layers, by the stock layer that computes it. */
export function operation(held: HeldLayer): Source | string {
  const { op, values } = held.layer as Operation;
  const lower = Object.hasOwn(lowered, op) ? lowered[op] : undefined;
  if (lower === undefined) return `no stock layers compute the operation ${op}`;
  return lower({ held, values, shape: held.inputs[0]!, output: held.output });
}
