import { shown } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { activationNames, approximateGelu, keras3HardSigmoid } from "../../layers/activations.ts";
import { Clipped, Sliced, Stacked } from "../../layers/slicing.ts";
import type { AxisSlice } from "../../layers/slicing.ts";
import { Power, Subtract } from "../../layers/base-layers.ts";
import { Operation } from "../../operations/operation.ts";
import { operationTable } from "../../operations/table.ts";
import { tensorflowKey, tensorflowNames } from "../../operations/tensorflow-names.ts";
import { WeightsError } from "../../weights-error.ts";
import { base } from "./layer-args.ts";
import { makers } from "./import-layers.ts";
import { fromRegistry } from "./makers/common.ts";
import type { Request } from "./makers/request.ts";
import { Constant, Slot } from "./config.ts";
import type { LayerCall, LayerConfig } from "./config.ts";

type Layer = tfl.layers.Layer;

/**
 * Bare operations of Keras 3 (`x * 2`, `keras.ops.relu(x)`) and of Keras 2 (TFOpLambda), by the last part of their
 * name.
 */
export const layerOperations: Readonly<Record<string, (making: Request) => Layer>> = {
  add: (making) => arithmetic(making, "Add", (number) => [1, number]),
  multiply: (making) => arithmetic(making, "Multiply", (number) => [number, 0]),
  subtract: (making) => arithmetic(making, "Subtract", (number, first) => (first ? [-1, number] : [1, -number])),
  truedivide: (making) => arithmetic(making, undefined, (number, first) => (first ? undefined : [1 / number, 0])),
  divide: (making) => arithmetic(making, undefined, (number, first) => (first ? undefined : [1 / number, 0])),
  power: ({ args, call, refuse }) => {
    const { constant: exponent, isFirst } = operandsOf(call);
    if (typeof exponent !== "number" || isFirst) return refuse("only powers of a tensor by a number are known");
    return new Power({ ...base(args), exponent });
  },
  square: power(2),
  sqrt: power(0.5),
  rsqrt: power(-0.5),
  reciprocal: power(-1),
  negative: ({ args }) => tfl.layers.rescaling({ ...base(args), scale: -1 }),
  maximum: (making) => bounded(making, "Maximum"),
  minimum: (making) => bounded(making, "Minimum"),
  clip: (making) => {
    const { x_min: low, x_max: high } = told(making, ["x_min", "x_max"]);
    const isNumber = [low, high].every((bound) => bound === undefined || typeof bound === "number");
    return isNumber
      ? new Clipped({ ...base(making.args), low: low as number, high: high as number })
      : making.refuse("only bounds that are numbers are known");
  },
  stack: (making) => new Stacked({ ...base(making.args), ...told(making, ["axis"]) }),
  getitem: (making) => {
    told(making, []);
    const shape = making.call?.shape;
    const pieces = shape === undefined ? undefined : slicesOf(making.call!.args[1], shape.length);
    if (pieces === undefined) return making.refuse("only indices and slices that keep the whole batch are known");
    return new Sliced({ ...base(making.args), pieces });
  },
  concatenate: (making) => fromRegistry("Concatenate", { ...base(making.args), ...told(making, ["axis"]) }),
  mean: (making) => overPixels(making, "GlobalAveragePooling2D"),
  max: (making) => overPixels(making, "GlobalMaxPooling2D"),
  reshape: (making) => {
    const { newshape: shape } = told(making, ["newshape"]);
    const [batch, ...rest] = Array.isArray(shape) ? (shape as unknown[]) : [];
    const isKnown = batch === -1 && rest.every((size) => typeof size === "number" && size > 0);
    const sample = (making.call?.shape ?? []).slice(1);
    const countOf = (sizes: readonly unknown[]): number =>
      sizes.reduce<number>((count, size) => count * (typeof size === "number" ? size : NaN), 1);
    if (!isKnown || countOf(sample) !== countOf(rest))
      return making.refuse(`a reshape to ${shown(shape)} is not known, only one that keeps the batch`);
    return tfl.layers.reshape({ ...base(making.args), targetShape: rest as number[] });
  },
  transpose: (making) => {
    const { axes } = told(making, ["axes"]);
    const [batch, ...rest] = Array.isArray(axes) ? (axes as number[]) : [];
    if (batch !== 0) return making.refuse(`a transpose by ${shown(axes)} is not known, only one that keeps the batch`);
    return tfl.layers.permute({ ...base(making.args), dims: rest });
  },
  pad: (making) => {
    const { pad_width: pads, mode = "constant" } = told(making, ["pad_width", "mode"]);
    const [batch, rows, columns, channels, ...more] = Array.isArray(pads) ? (pads as [number, number][]) : [];
    const isMap = [batch, channels].every((side) => String(side) === "0,0") && more.length === 0;
    if (!isMap || mode !== "constant") return making.refuse("only padding of rows and columns with zeros is known");
    return tfl.layers.zeroPadding2d({ ...base(making.args), padding: [rows!, columns!] });
  },
  gelu: (making) => {
    // By default Keras 3 approximates and TensorFlow does not.
    const { approximate = !isTensorflow(making) } = told(making, ["approximate"]);
    return activation(making, approximate === false ? "gelu" : approximateGelu);
  },
  elu: (making) => makers["ELU"]!({ ...making, config: told(making, ["alpha"]) }),
  leakyrelu: (making) =>
    makers["LeakyReLU"]!({ ...making, config: { negative_slope: 0.2, ...told(making, ["negative_slope"]) } }),
  softmax: (making) =>
    makers["Softmax"]!({ ...making, args: { ...base(making.args), axis: -1, ...told(making, ["axis"]) } }),
  logsoftmax: (making) => {
    const { axis = -1 } = told(making, ["axis"]);
    return axis === -1
      ? activation(making, "logSoftmax")
      : making.refuse("log_softmax is known over the last axis only");
  },
  exp: (making) => activation(making, "exponential"),
  ...Object.fromEntries(
    [
      "relu",
      "relu6",
      "sigmoid",
      "tanh",
      "selu",
      "softplus",
      "softsign",
      "silu",
      "hard_sigmoid",
      "hard_silu",
      "hard_swish",
    ].map((name) => [
      name.replaceAll("_", ""),
      (making: Request) => {
        told(making, []);
        return activation(making, name === "hard_sigmoid" ? keras3HardSigmoid : activationNames[name]!);
      },
    ]),
  ),
};

/**
 * The name of a bare operation; undefined for a layer. Keras 3's .h5 omits the module, so there the class and the
 * arguments decide.
 */
export function operationOf({ className, module, config, calls, isForeign, isOurs }: LayerConfig): string | undefined {
  if (isForeign || isOurs) return undefined;
  if (/^(TFOpLambda|SlicingOpLambda)$/.test(className)) return tensorflowKey(String(config["function"]));
  const isLayer = Object.hasOwn(makers, className) && (calls[0]?.inputs.length !== 1 || "exponent" in config);
  const isReshape = className === "Reshape" && "newshape" in config;
  const isOperation = isReshape || /\bops\b/.test(module) || (operationNames.has(className) && !isLayer);
  return isOperation ? className : undefined;
}

/** The name of an operation in the tables: in lower case without underscores. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

/** Whether an operation is known, either as a layer or in the table. */
export function isKnownOperation(name: string): boolean {
  return Object.hasOwn(layerOperations, plainName(name)) || tableName(name) !== undefined;
}

/**
 * Makes the layer for an operation: a layer with an exporter if there is one, else an `Operation` of the table. In a
 * model with masks always the latter: it ends a mask, in saved files too, and many layers do not.
 */
export function makeOperation(name: string, request: Request, hasMasks: boolean): Layer {
  if (hasMasks && tableName(name) !== undefined) return tableOperation(name, request);
  const own = Object.hasOwn(layerOperations, plainName(name)) ? layerOperations[plainName(name)] : undefined;
  try {
    if (own !== undefined) return own(request);
  } catch (error) {
    if (!(error instanceof WeightsError) || tableName(name) === undefined) throw error;
  }
  return tableOperation(name, request);
}

function tableName(name: string): string | undefined {
  const alias = Object.hasOwn(tensorflowNames, name) ? tensorflowNames[name]!.to : plainName(name);
  return Object.hasOwn(operationTable, alias) ? alias : undefined;
}

function tableOperation(name: string, { args, config, call, refuse }: Request): Layer {
  const op = tableName(name)!;
  const isLambda = config["function"] !== undefined;
  const alias = isLambda && Object.hasOwn(tensorflowNames, name) ? tensorflowNames[name] : undefined;
  const names = operationTable[op]![0].split(" ");
  const own = ["name", "trainable", "function", ...(op === "cast" ? [] : ["dtype"])];
  const only = new Map(Object.entries(alias?.only ?? {}));
  const given = Object.entries({ ...config, ...call?.kwargs }).filter(
    ([key, value]) => !own.includes(key) && value !== null,
  );
  const other = given.find(([key, value]) => only.get(key)?.includes(value) === false);
  if (other !== undefined) return refuse(`its ${other[0]} of ${shown(other[1])} is not known here`);
  const stated = given
    .filter(([key, value]) => !only.has(key) && alias?.plain?.[key] !== value)
    .map(([key, value]) => [alias?.names?.[key] ?? key, value] as const)
    .filter(([key]) => key !== "ignored");
  const positional = call?.args ?? [];
  const placed =
    op === "einsum"
      ? [["operands", positional] as const]
      : positional.map((value, index) => [names[index] ?? String(index), value] as const);
  const values = Object.fromEntries([...Object.entries(alias?.defaults ?? {}), ...placed, ...stated]);
  return new Operation({ ...base(args), op, values: templateOf(values) as Record<string, unknown> });
}

/** Arguments in the form that a saved model stores. */
function templateOf(value: unknown): unknown {
  if (value instanceof Slot) return { slot: value.index };
  if (value instanceof Constant) return { constant: value.value, dtype: value.dtype };
  if (Array.isArray(value)) return value.map(templateOf);
  // JSON has no infinite numbers.
  if (value === Infinity || value === -Infinity) return { number: String(value) };
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, templateOf(part)]));
}

/** Keras 3's operation classes. Some share their name with a layer class. */
const operationNames = new Set([
  "Add",
  "Multiply",
  "Subtract",
  "TrueDivide",
  "Divide",
  "Negative",
  "Power",
  "Maximum",
  "Minimum",
  "Relu",
  "Relu6",
  "Sigmoid",
  "Tanh",
  "Elu",
  "Selu",
  "Softplus",
  "Softsign",
  "Silu",
  "HardSigmoid",
  "HardSilu",
  "Gelu",
  "LeakyRelu",
  "LogSoftmax",
  "Exp",
  "Square",
  "Sqrt",
  "Rsqrt",
  "Reciprocal",
  "Mean",
  "Max",
  "Transpose",
  "Pad",
  "Clip",
  "GetItem",
  "Stack",
]);

/** The options of an operation, from its configuration or its call. Throws for an option outside `names`. */
function told({ config, call, refuse }: Request, names: readonly string[]): JsonObject {
  const own = ["name", "trainable", "dtype", "function"];
  const isArgument = ([key, value]: [string, unknown]): boolean =>
    !own.includes(key) && value !== null && !["x", "y", "x1", "x2", "xs", "inputs"].includes(key);
  const all = Object.entries({ ...config, ...call?.kwargs }).filter(isArgument);
  const unknown = all.find(([key]) => !names.includes(key));
  if (unknown !== undefined) return refuse(`its ${unknown[0]} of ${shown(unknown[1])} is not known here`);
  return Object.fromEntries(all);
}

function isTensorflow({ config }: Request): boolean {
  return config["function"] !== undefined;
}

function activation({ args }: Request, name: string): Layer {
  return tfl.layers.activation({ ...base(args), activation: name as "relu" });
}

function power(exponent: number): (making: Request) => Layer {
  return (making) => {
    told(making, []);
    return new Power({ ...base(making.args), exponent });
  };
}

/** A mean or maximum over the rows and columns of a feature map. */
function overPixels(making: Request, className: "GlobalAveragePooling2D" | "GlobalMaxPooling2D"): Layer {
  const { axis, keepdims = false } = told(making, ["axis", "keepdims"]);
  if (making.call?.shape?.length !== 4 || !["1,2", "2,1", "-3,-2"].includes(String(axis)))
    return making.refuse(`along the axes ${shown(axis)} it is not known, only over rows and columns ([1, 2])`);
  return makers[className]!({ ...making, args: { ...base(making.args), keepdims } });
}

function arithmetic(
  { args, call, refuse }: Request,
  merge: "Add" | "Multiply" | "Subtract" | "Maximum" | "Minimum" | undefined,
  scaleAndOffset: (number: number, first: boolean) => readonly [number, number] | undefined,
): Layer {
  if (call !== undefined && call.inputs.length === 2 && merge !== undefined) {
    // A merging layer aligns tensors at their first axes, an operation at their last.
    if (new Set(call.ranks).size > 1) return refuse("tensors of different numbers of axes are not known");
    return merge === "Subtract" ? new Subtract(base(args)) : fromRegistry(merge, base(args));
  }
  const { constant, isFirst } = operandsOf(call);
  const channels = call?.shape?.at(-1);
  if (Array.isArray(constant) && constant.length > 1 && constant.length !== channels)
    return refuse("a constant that is not of one number or of one for each channel is not known");
  const pairs = [constant ?? []].flat().map((number) => scaleAndOffset(number, isFirst));
  if (pairs.length === 0 || pairs.includes(undefined)) return refuse("this arithmetic is not known to tfjs");
  const [scale, offset] = [0, 1].map((part) => pairs.map((pair) => pair![part]!));
  return tfl.layers.rescaling({
    ...base(args),
    scale: (pairs.length === 1 ? scale![0] : scale) as number,
    offset: (pairs.length === 1 ? offset![0] : offset) as number,
  });
}

/** The constant operand of an arithmetic operation: one number, or one per channel. */
function operandsOf(call: LayerCall | undefined): { constant?: number | readonly number[]; isFirst: boolean } {
  const { args = [], kwargs = {} } = call ?? {};
  const named = ["x1", "x2", "x", "y"].flatMap((name) => (Object.hasOwn(kwargs, name) ? [kwargs[name]] : []));
  const [first, second] = [...args, ...named];
  const isFirst = !(first instanceof Slot);
  const value = isFirst ? first : second;
  const constant = perChannel(value instanceof Constant ? value.value : value, call?.shape?.length ?? 0);
  return { ...(constant === undefined ? {} : { constant }), isFirst };
}

/**
 * A constant with one number per channel: all axes but the last have one element. Undefined for one of more axes than
 * `rank`, which would add axes to the tensor.
 */
function perChannel(value: unknown, rank: number): number | readonly number[] | undefined {
  let inner = value;
  let axes = Array.isArray(value) ? 1 : 0;
  for (; Array.isArray(inner) && inner.length === 1 && Array.isArray(inner[0]); axes++) inner = inner[0] as unknown;
  if (axes > rank) return undefined;
  if (typeof inner === "number") return inner;
  return Array.isArray(inner) && inner.length > 0 && inner.every((part) => typeof part === "number")
    ? inner
    : undefined;
}

/** The larger or smaller of two tensors, or of a tensor and a number. */
function bounded(making: Request, merge: "Maximum" | "Minimum"): Layer {
  const { constant: number } = operandsOf(making.call);
  if (making.call?.inputs.length !== 1 || typeof number !== "number") return arithmetic(making, merge, () => undefined);
  return new Clipped({ ...base(making.args), ...(merge === "Maximum" ? { low: number } : { high: number }) });
}

/** Python's index of a tensor as one slice per axis; undefined if the index is unsupported or slices the batch. */
function slicesOf(key: unknown, rank: number): AxisSlice[] | undefined {
  const parts = Array.isArray(key) ? (key as unknown[]) : [key];
  const whole = { start: null, stop: null, step: null };
  const isEllipsis = (part: unknown): boolean => isObject(part) && part["class_name"] === "__ellipsis__";
  const missing = Array.from(
    { length: Math.max(0, rank - parts.filter((part) => !isEllipsis(part)).length) },
    () => whole,
  );
  const pieces = parts.flatMap((part): (AxisSlice | undefined)[] => {
    if (isEllipsis(part)) return missing;
    if (typeof part === "number") return [part];
    const slice = isObject(part) && part["class_name"] === "__slice__" ? part["config"] : undefined;
    if (!isObject(slice)) return [undefined];
    const [start, stop, step] = [slice["start"], slice["stop"], slice["step"]];
    const isPlain = [start, stop, step].every((value) => value === null || Number.isSafeInteger(value)) && step !== 0;
    return [isPlain ? ({ start, stop, step } as AxisSlice) : undefined];
  });
  const all = parts.some(isEllipsis) ? pieces : [...pieces, ...missing];
  const [batch] = all;
  const keepsBatch = typeof batch === "object" && batch.start === null && batch.stop === null && batch.step === null;
  return keepsBatch && all.length === rank && !all.includes(undefined) ? (all as AxisSlice[]) : undefined;
}
