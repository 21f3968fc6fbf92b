import { isObject } from "../../bytes/json.ts";
import type { KerasCall } from "./keras-part.ts";
import type { KerasLayer, TakenTensor } from "./graph.ts";

/** A function of TensorFlow, and its names of the arguments that Keras 3 takes by position or as options. */
interface TensorflowFunction {
  readonly symbol: string;
  /** The arguments after the first, by position in Keras 3. */
  readonly rest?: readonly string[];
  /** Keras 3's options: TensorFlow's names of them. Another option is refused. */
  readonly options?: Readonly<Record<string, string>>;
}

const binary = (symbol: string): TensorflowFunction => ({ symbol, rest: ["y"] });
const reduction = (symbol: string): TensorflowFunction => ({
  symbol: `math.reduce_${symbol}`,
  options: { axis: "axis", keepdims: "keepdims" },
});

/** Keras 3's operations that are one function of TensorFlow, by their classes. */
const tensorflowFunctions: Readonly<Record<string, TensorflowFunction>> = {
  Abs: { symbol: "math.abs" },
  Absolute: { symbol: "math.abs" },
  Add: binary("math.add"),
  Cast: { symbol: "cast", options: { dtype: "dtype" } },
  Ceil: { symbol: "math.ceil" },
  Clip: { symbol: "clip_by_value", options: { x_min: "clip_value_min", x_max: "clip_value_max" } },
  Concatenate: { symbol: "concat", options: { axis: "axis" } },
  Cos: { symbol: "math.cos" },
  Divide: binary("math.truediv"),
  Erf: { symbol: "math.erf" },
  Exp: { symbol: "math.exp" },
  ExpandDims: { symbol: "expand_dims", options: { axis: "axis" } },
  Floor: { symbol: "math.floor" },
  Gelu: { symbol: "nn.gelu", options: { approximate: "approximate" } },
  GetItem: { symbol: "getitem" },
  LeakyRelu: { symbol: "nn.leaky_relu", options: { negative_slope: "alpha" } },
  Log: { symbol: "math.log" },
  LogSoftmax: { symbol: "nn.log_softmax", options: { axis: "axis" } },
  Matmul: { symbol: "linalg.matmul", rest: ["b"] },
  Max: reduction("max"),
  Maximum: binary("math.maximum"),
  Mean: reduction("mean"),
  Min: reduction("min"),
  Minimum: binary("math.minimum"),
  Multiply: binary("math.multiply"),
  Negative: { symbol: "math.negative" },
  Pad: { symbol: "pad", rest: ["constant_values"], options: { pad_width: "paddings", mode: "mode" } },
  Power: binary("math.pow"),
  Prod: reduction("prod"),
  Reciprocal: { symbol: "math.reciprocal" },
  Relu: { symbol: "nn.relu" },
  Relu6: { symbol: "nn.relu6" },
  Reshape: { symbol: "reshape", options: { newshape: "shape" } },
  Rsqrt: { symbol: "math.rsqrt" },
  Selu: { symbol: "nn.selu" },
  Sigmoid: { symbol: "math.sigmoid" },
  Silu: { symbol: "nn.silu" },
  Sin: { symbol: "math.sin" },
  Softmax: { symbol: "nn.softmax", options: { axis: "axis" } },
  Softplus: { symbol: "math.softplus" },
  Sqrt: { symbol: "math.sqrt" },
  Square: { symbol: "math.square" },
  Squeeze: { symbol: "squeeze", options: { axis: "axis" } },
  Stack: { symbol: "stack", options: { axis: "axis" } },
  Std: reduction("std"),
  Subtract: binary("math.subtract"),
  Sum: reduction("sum"),
  Tanh: { symbol: "math.tanh" },
  Tile: { symbol: "tile", options: { repeats: "multiples" } },
  Transpose: { symbol: "transpose", options: { axes: "perm" } },
  TrueDivide: binary("math.truediv"),
  Var: reduction("variance"),
};

/** Why Keras 2 cannot hold an operation; undefined if it can. */
export function whyNoLambda({ className, operation }: KerasLayer): string | undefined {
  const found = Object.hasOwn(tensorflowFunctions, className) ? tensorflowFunctions[className] : undefined;
  if (found === undefined) return `Keras 2 has no function for the operation ${className}`;
  const other = Object.keys(operation?.config ?? {}).find((name) => !Object.hasOwn(found.options ?? {}, name));
  return other === undefined ? undefined : `Keras 2 has no ${other} of the operation ${className}`;
}

/** An operation as Keras 2's TFOpLambda or SlicingOpLambda, which call a function of TensorFlow by its name. */
export function opLambda({ name, className, operation, calls }: KerasLayer): object {
  const { symbol, rest = [], options = {} } = tensorflowFunctions[className]!;
  const isSlice = className === "GetItem";
  return {
    class_name: isSlice ? "SlicingOpLambda" : "TFOpLambda",
    config: { name, trainable: true, dtype: "float32", function: isSlice ? "__operators__.getitem" : symbol },
    name,
    inbound_nodes: calls.map((call) => lambdaCall(call, operation!, { symbol, rest, options }, isSlice)),
  };
}

function lambdaCall(
  call: readonly TakenTensor[],
  { args, numbers: after = [], config = {} }: KerasCall,
  { rest = [], options = {} }: TensorflowFunction,
  isSlice: boolean,
): unknown {
  const tensor = ({ layer, call: index, output }: TakenTensor): unknown[] => [layer, index, output];
  const slots = call.map((_, slot) => ({ slot }));
  const [first, ...others] = args ?? [call.length === 1 ? slots[0] : slots, ...after];
  const value = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(value);
    if (!isObject(part)) return part;
    if (typeof part["slot"] === "number") return tensor(call[part["slot"]]!);
    if (part["class_name"] !== "__numpy__") return part;
    const { value: numbers, dtype } = part["config"] as Record<string, unknown>;
    return String(dtype).startsWith("float") ? asFloats(numbers) : numbers;
  };
  const named = isSlice
    ? { slice_spec: sliceSpec(others[0]) }
    : Object.fromEntries([
        ...others.map((part, index) => [rest[index]!, value(part)]),
        ...Object.entries(config).map(([key, part]) => [options[key]!, value(part)]),
      ]);
  const taken = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(taken);
    if (isObject(part) && typeof part["slot"] === "number") return [...tensor(call[part["slot"]]!), named];
    return ["_CONSTANT_VALUE", -1, value(part), named];
  };
  return taken(first);
}

const floatMark = "whole float ";

/** Whole numbers of a float array with a mark, since JSON writes 1 for 1.0, which is an integer to TensorFlow. */
function asFloats(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asFloats);
  return Number.isSafeInteger(value) ? `${floatMark}${String(value)}` : value;
}

/** JSON in which marked numbers are floats: 1.0. */
export function jsonWithFloats(value: object): string {
  return JSON.stringify(value).replaceAll(new RegExp(`"${floatMark}(-?\\d+)"`, "g"), "$1.0");
}

/** Python's index as Keras 2 writes it: a slice is an object of its three numbers. */
function sliceSpec(key: unknown): unknown {
  return (key as readonly unknown[]).map((part) =>
    isObject(part) && part["class_name"] === "__slice__" ? part["config"] : part,
  );
}
