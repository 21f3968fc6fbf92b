import * as tfl from "@tensorflow/tfjs-layers";
import { activationNames, keras3HardSigmoid } from "../layers/activations.ts";
import { Power, Subtract } from "../layers/simple-layers.ts";
import { base } from "./layer-args.ts";
import { fromRegistry, makers } from "./layer-makers.ts";
import type { Request } from "./layer-makers.ts";
import type { LayerConfig } from "./model-config.ts";

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
    if (exponent === undefined || call!.numberFirst) return refuse("only powers of a tensor by a number are known");
    return new Power({ ...base(args), exponent });
  },
  negative: ({ args }) => tfl.layers.rescaling({ ...base(args), scale: -1 }),
  maximum: (making) => arithmetic(making, "Maximum", () => undefined),
  minimum: (making) => arithmetic(making, "Minimum", () => undefined),
  ...Object.fromEntries(
    [
      "relu",
      "relu6",
      "sigmoid",
      "tanh",
      "softmax",
      "elu",
      "selu",
      "softplus",
      "softsign",
      "silu",
      "hard_sigmoid",
      "hard_silu",
      "hard_swish",
      "gelu",
    ].map((name) => [
      name.replaceAll("_", ""),
      ({ args }: Request) =>
        tfl.layers.activation({
          ...base(args),
          activation: (name === "hard_sigmoid" ? keras3HardSigmoid : activationNames[name]) as "relu",
        }),
    ]),
  ),
};

/** The name of a bare operation. Keras 3's .h5 leaves the module out: then the class alone or a number among the arguments tells. */
export function operationOf({ className, module, config, calls }: LayerConfig): string | undefined {
  const isLambda = className === "TFOpLambda";
  const isLayer = Object.hasOwn(makers, className) && (calls[0]?.inputs.length !== 1 || "exponent" in config);
  const isOperation = isLambda || /\bops\b/.test(module) || (operationNames.has(className) && !isLayer);
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
]);

function arithmetic(
  { args, call, refuse }: Request,
  merge: "Add" | "Multiply" | "Subtract" | "Maximum" | "Minimum" | undefined,
  scaleAndOffset: (number: number, first: boolean) => readonly [number, number] | undefined,
): Layer {
  if (call !== undefined && call.inputs.length === 2 && merge !== undefined) {
    return merge === "Subtract" ? new Subtract(base(args)) : fromRegistry(merge, base(args));
  }
  const [number] = call?.numbers ?? [];
  const numbers = number === undefined ? undefined : scaleAndOffset(number, call!.numberFirst);
  if (numbers === undefined) return refuse("this arithmetic is not known to tfjs");
  return tfl.layers.rescaling({ ...base(args), scale: numbers[0], offset: numbers[1] });
}
