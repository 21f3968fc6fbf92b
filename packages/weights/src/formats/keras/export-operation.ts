import { shown } from "@convkit/errors";
import { isObject } from "../../bytes/json.ts";
import { isCallArgument, kerasOperations } from "../../operations/keras-classes.ts";
import type { OperationArgs } from "../../operations/operation.ts";
import { operationTable } from "../../operations/table.ts";
import { indexPart } from "../../operations/shapes.ts";
import type { ExportContext, KerasPart } from "./keras-part.ts";

type Values = Readonly<Record<string, unknown>>;

/** The Keras operations, or layers, that do what an operation of the table does. */
export function exportOperation({ op, values }: OperationArgs, context: ExportContext): KerasPart[] {
  const make = Object.hasOwn(special, op) ? special[op] : undefined;
  return make === undefined ? [plain(op, values, context)] : make(values, context);
}

/** One operation of `keras.ops` with the same name and arguments. */
function plain(op: string, given: Values, { refuse }: Pick<ExportContext, "refuse">): KerasPart {
  const values = lowerCased(given);
  const endless = Object.keys(values).find((name) => isEndless(values[name]));
  if (endless !== undefined) return refuse(`its ${endless} is infinite, a number that JSON does not have`);
  const found = kerasOperations.get(op);
  if (found === undefined) return refuse(`its operation ${op} is not written for Keras`);
  const other = Object.entries(values).find(([name, value]) => value != null && isTensorflows(op, name, value));
  if (other !== undefined) return refuse(`Keras' ${found.className} has no ${other[0]} of ${shown(other[1])}`);
  const names = operationTable[op]![0].split(" ");
  const isStated = (name: string): boolean => values[name] !== undefined && values[name] !== null;
  const called = names.filter((name) => isCallArgument(op, name));
  // Keras takes these by position, so an argument before a stated one is there, too.
  const args = called.slice(0, takesAll.has(op) ? undefined : called.findLastIndex(isStated) + 1).flatMap((name) => {
    // Keras 2 stores a constant kernel as bare lists, which Keras 3's operations do not take.
    const stated = name.endsWith("kernel") && Array.isArray(values[name]) ? { constant: values[name] } : values[name];
    const value = pythonValue(name === "key" && op === "getitem" ? pythonKey(stated) : (stated ?? null));
    // `einsum` takes its operands one by one.
    return name === "operands" ? (value as unknown[]) : [value];
  });
  const options = names.filter((name) => !isCallArgument(op, name) && isStated(name));
  const config = Object.fromEntries(options.map((name) => [name, pythonValue(values[name])]));
  return { className: found.className, config: {}, operation: { module: found.module, args, config } };
}

/** Arguments of TensorFlow's functions that Keras' operations of the same name lack. */
const tensorflowAlone: Readonly<Record<string, readonly string[]>> = {
  argsort: ["direction"],
  cumprod: ["exclusive", "reverse"],
  cumsum: ["exclusive", "reverse"],
  onehot: ["on_value", "off_value"],
  silu: ["beta"],
  sort: ["direction"],
  take: ["batch_dims"],
  topk: ["smallest"],
};

/** Whether an argument is one that TensorFlow's function takes and Keras' operation does not. */
function isTensorflows(op: string, name: string, value: unknown): boolean {
  if (tensorflowAlone[op]?.includes(name) === true) return value !== false;
  if (name === "padding" && op.endsWith("conv")) return Array.isArray(value);
  if (["strides", "dilation_rate"].includes(name) && op.endsWith("conv"))
    return Array.isArray(value) && value.length > 3;
  return name === "shape" && Array.isArray(value) && value.some(isObject);
}

/** Operations that Keras makes of a file with every argument of their calls only. */
const takesAll = new Set(["layernorm"]);

/** Arguments whose words TensorFlow takes in capitals, too, as Keras 2 stores them: `SAME`, `CONSTANT`. */
const words = ["mode", "padding", "interpolation"];

function lowerCased(values: Values): Values {
  const lower = ([name, value]: [string, unknown]): [string, unknown] => [
    name,
    words.includes(name) && typeof value === "string" ? value.toLowerCase() : value,
  ];
  return Object.fromEntries(Object.entries(values).map(lower));
}

/** Whether a value is a number that JSON does not have. */
const isEndless = (value: unknown): boolean => isObject(value) && typeof value["number"] === "string";

/** A number of the file's arguments in Keras' form. Tensors stay `{ slot }`. */
function pythonValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pythonValue);
  if (!isObject(value)) return value;
  if (value["constant"] !== undefined)
    return {
      class_name: "__numpy__",
      config: { value: value["constant"], dtype: String(value["dtype"] ?? "float32") },
    };
  return value;
}

/** Python's index in the form of Keras 3's files. */
function pythonKey(key: unknown): unknown {
  return (Array.isArray(key) ? key : [key]).map((part) => {
    const read = indexPart(part);
    if (read === "…") return { class_name: "__ellipsis__", config: {} };
    return isObject(read) ? { class_name: "__slice__", config: read } : read;
  });
}

const layerRank = ({ inputShape }: ExportContext): string => `${inputShape.length - 2}D`;

/** A layer of Keras over sequences, maps or volumes, by its name without the rank. */
const layer =
  (base: (values: Values) => string, keys: readonly string[]): Maker =>
  (values, context) => [
    {
      className: `${base(values)}${layerRank(context)}`,
      config: Object.fromEntries(keys.flatMap((key) => (values[key] == null ? [] : [[key, values[key]]]))),
    },
  ];

type Maker = (values: Values, context: ExportContext) => KerasPart[];

const kind = ({ kind }: Values): string => (kind === "max" ? "Max" : "Average");
const one = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

/** Operations that Keras has as layers, or under other names or arguments. */
const special: Readonly<Record<string, Maker>> = {
  zeropadding: layer(() => "ZeroPadding", ["padding"]),
  cropping: layer(() => "Cropping", ["cropping"]),
  upsampling: ({ size, interpolation }, context) => [
    {
      className: `UpSampling${layerRank(context)}`,
      config: {
        ...(size == null ? {} : { size: context.inputShape.length === 3 ? one(size) : size }),
        ...(interpolation == null ? {} : { interpolation }),
      },
    },
  ],
  globalpool: layer((values) => `Global${kind(values)}Pooling`, ["keepdims"]),
  adaptivepool: layer((values) => `Adaptive${kind(values)}Pooling`, ["output_size"]),
  discretization: ({ bin_boundaries, output_mode }) => [
    { className: "Discretization", config: { bin_boundaries, output_mode: output_mode ?? "int" } },
  ],
  dot: ({ axes, normalize = false }) => [{ className: "Dot", config: { axes, normalize } }],
  identity: () => [{ className: "Identity", config: {} }],
  mish: () => [{ className: "Activation", config: { activation: "mish" } }],
  // Keras takes a value beside the mode "constant" alone.
  pad: ({ constant_values, ...values }, context) => {
    const isConstant = String(values["mode"] ?? "constant").toLowerCase() === "constant";
    return [plain("pad", isConstant ? { ...values, constant_values } : values, context)];
  },
  // Keras takes an empty list for every axis of size 1.
  squeeze: (values, context) =>
    Array.isArray(values["axis"]) && values["axis"].length === 0
      ? [{ className: "Identity", config: {} }]
      : [plain("squeeze", values, context)],
  hardswish: (values, context) => [plain("hardsilu", values, context)],
  stopgradient: ({ x }) => [
    {
      className: "StopGradient",
      config: {},
      operation: { module: "keras.src.ops.core", args: [x] },
    },
  ],
  squareddifference: (values, context) => [
    plain("subtract", values, context),
    plain("square", { x: { slot: 0 } }, context),
  ],
  // The lower bound of Keras' operation is on the norm, that of TensorFlow's on its square.
  l2normalize: ({ x, axis, epsilon = 1e-12 }, context) => [
    plain("normalize", { x, axis, order: 2, epsilon: Math.sqrt(Number(epsilon)) }, context),
  ],
  pool2d: ({ inputs, pool_size, strides, padding, kind: of }, context) => {
    const inner = (value: unknown): unknown => (Array.isArray(value) && value.length === 4 ? value.slice(1, 3) : value);
    const [window, step] = [inner(pool_size), inner(strides)];
    const values = { inputs, pool_size: window, strides: step, padding: String(padding ?? "valid").toLowerCase() };
    return [plain(of === "avg" ? "averagepool" : "maxpool", values, context)];
  },
  splitsizes: ({ x, sizes, axis }, context) => {
    if (typeof sizes === "number") return [plain("split", { x, indices_or_sections: sizes, axis }, context)];
    const cuts = (sizes as number[]).map((_, part) => (sizes as number[]).slice(0, part + 1).reduce((a, b) => a + b));
    return [plain("split", { x, indices_or_sections: cuts.slice(0, -1), axis }, context)];
  },
  slice: ({ x, start, size }, context) => {
    const [from, lengths] = [start as number[], size as number[]];
    const key = from.map((begin, axis) => ({
      class_name: "__slice__",
      config: { start: begin, stop: lengths[axis] === -1 ? null : begin + lengths[axis]!, step: null },
    }));
    return [plain("getitem", { x, key }, context)];
  },
  matmul: ({ x1, x2, transpose_a, transpose_b }, context) => {
    if (transpose_a === true || transpose_b === true)
      return context.refuse("Keras multiplies matrices as they are: transpose the operand before");
    return [plain("matmul", { x1, x2 }, context)];
  },
};
