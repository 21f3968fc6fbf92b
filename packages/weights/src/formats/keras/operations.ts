import { shown } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { activationNames, approximateGelu, keras3HardSigmoid } from "../../layers/activations.ts";
import { Clipped, Sliced, Stacked } from "../../layers/slicing.ts";
import type { AxisSlice } from "../../layers/slicing.ts";
import { Power, Subtract } from "../../layers/base-layers.ts";
import { base } from "./layer-args.ts";
import { fromRegistry, makers } from "./import-layers.ts";
import type { Request } from "./import-layers.ts";
import type { LayerConfig } from "./config.ts";

type Layer = tfl.layers.Layer;

/** Bare operations of Keras 3 (`x * 2`, `keras.ops.relu(x)`) and of Keras 2 (TFOpLambda), by their last name. */
export const operations: Readonly<Record<string, (making: Request) => Layer>> = {
  add: (making) => arithmetic(making, "Add", (number) => [1, number]),
  multiply: (making) => arithmetic(making, "Multiply", (number) => [number, 0]),
  subtract: (making) => arithmetic(making, "Subtract", (number, first) => (first ? [-1, number] : [1, -number])),
  truedivide: (making) => arithmetic(making, undefined, (number, first) => (first ? undefined : [1 / number, 0])),
  divide: (making) => arithmetic(making, undefined, (number, first) => (first ? undefined : [1 / number, 0])),
  power: ({ args, call, refuse }) => {
    const [exponent] = call?.numbers ?? [];
    if (typeof exponent !== "number" || call!.numberFirst)
      return refuse("only powers of a tensor by a number are known");
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
    const pieces = shape === undefined ? undefined : slicesOf(making.call!.rest[0], shape.length);
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
    if (!isKnown) return making.refuse(`a reshape to ${shown(shape)} is not known, only one that keeps the batch`);
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
    const { approximate } = told(making, ["approximate"]);
    return activation(making, approximate === false ? "gelu" : approximateGelu);
  },
  elu: (making) => makers["ELU"]!({ ...making, config: told(making, ["alpha"]) }),
  leakyrelu: (making) =>
    makers["LeakyReLU"]!({ ...making, config: { negative_slope: 0.2, ...told(making, ["negative_slope"]) } }),
  softmax: (making) => makers["Softmax"]!({ ...making, args: { ...base(making.args), ...told(making, ["axis"]) } }),
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

/** The name of a bare operation. Keras 3's .h5 leaves the module out: then the class alone or a number among the arguments tells. */
export function operationOf({ className, module, config, calls }: LayerConfig): string | undefined {
  const isLambda = className === "TFOpLambda";
  const isLayer = Object.hasOwn(makers, className) && (calls[0]?.inputs.length !== 1 || "exponent" in config);
  const isReshape = className === "Reshape" && "newshape" in config;
  const isOperation = isLambda || isReshape || /\bops\b/.test(module) || (operationNames.has(className) && !isLayer);
  const name = isLambda ? String(config["function"]).split(".").at(-1)! : className;
  return isOperation ? name.toLowerCase().replaceAll("_", "") : undefined;
}

/** Keras 3's classes of operations, where a layer's class may have the same name. */
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

/** What an operation was told beside its tensor, in its configuration or its call; anything but these names is refused. */
function told({ config, call, refuse }: Request, names: readonly string[]): JsonObject {
  const own = ["name", "trainable", "dtype", "function"];
  const all = Object.entries({ ...config, ...call?.options }).filter(
    ([key, value]) => !own.includes(key) && value !== null,
  );
  const unknown = all.find(([key]) => !names.includes(key));
  if (unknown !== undefined) return refuse(`its ${unknown[0]} of ${shown(unknown[1])} is not known here`);
  return Object.fromEntries(all);
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

/** A mean or maximum over the rows and columns of a map. */
function overPixels(making: Request, className: "GlobalAveragePooling2D" | "GlobalMaxPooling2D"): Layer {
  const { axis, keepdims = false } = told(making, ["axis", "keepdims"]);
  if (!["1,2", "2,1", "-3,-2"].includes(String(axis)))
    return making.refuse(`along the axes ${shown(axis)} it is not known, only over rows and columns ([1, 2])`);
  return makers[className]!({ ...making, args: { ...base(making.args), keepdims } });
}

function arithmetic(
  { args, call, refuse }: Request,
  merge: "Add" | "Multiply" | "Subtract" | "Maximum" | "Minimum" | undefined,
  scaleAndOffset: (number: number, first: boolean) => readonly [number, number] | undefined,
): Layer {
  if (call !== undefined && call.inputs.length === 2 && merge !== undefined) {
    return merge === "Subtract" ? new Subtract(base(args)) : fromRegistry(merge, base(args));
  }
  const [constant] = call?.numbers ?? [];
  const pairs = [constant ?? []].flat().map((number) => scaleAndOffset(number, call!.numberFirst));
  if (pairs.length === 0 || pairs.includes(undefined)) return refuse("this arithmetic is not known to tfjs");
  const [scale, offset] = [0, 1].map((part) => pairs.map((pair) => pair![part]!));
  return tfl.layers.rescaling({
    ...base(args),
    scale: (pairs.length === 1 ? scale![0] : scale) as number,
    offset: (pairs.length === 1 ? offset![0] : offset) as number,
  });
}

/** The larger or smaller of two tensors, or of a tensor and a number. */
function bounded(making: Request, merge: "Maximum" | "Minimum"): Layer {
  const [number] = making.call?.numbers ?? [];
  if (making.call?.inputs.length !== 1 || typeof number !== "number") return arithmetic(making, merge, () => undefined);
  return new Clipped({ ...base(making.args), ...(merge === "Maximum" ? { low: number } : { high: number }) });
}

/** Python's index of a tensor as one piece an axis; undefined where it is none that is known, or does not keep the batch. */
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
