import { AdaptiveAveragePooling2D, Conv2D, GlobalAveragePooling2D, Normalization } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { activationNames, keras3HardSigmoid } from "../layers/activations.ts";
import { RandomAugmentation } from "../layers/augmentation.ts";
import type { Augmentation } from "../layers/augmentation.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D } from "../layers/resize.ts";
import {
  GlobalMaxPooling2DKeepdims,
  Identity,
  Power,
  ScaledELU,
  SpatialDropout2D,
  Subtract,
} from "../layers/simple-layers.ts";
import { WeightsError } from "../weights-error.ts";
import { isModel } from "./model-config.ts";
import type { LayerCall, LayerConfig } from "./model-config.ts";

type Layer = tfl.layers.Layer;

/** What a layer's maker gets: its configuration in tfjs' form, and how to refuse what tfjs cannot do. */
interface Request {
  readonly name: string;
  /** In tfjs' form: camelCase, activations and initializers by tfjs' names. */
  readonly args: Record<string, unknown>;
  /** As the file has it. */
  readonly config: JsonObject;
  readonly call: LayerCall | undefined;
  refuse(problem: string): never;
}

/** Classes that tfjs makes from the converted configuration as it is. */
const plainClasses = [
  "Activation",
  "Add",
  "AlphaDropout",
  "Average",
  "AveragePooling1D",
  "AveragePooling2D",
  "BatchNormalization",
  "Concatenate",
  "Conv1D",
  "Conv2D",
  "Conv2DTranspose",
  "Cropping2D",
  "Dense",
  "DepthwiseConv2D",
  "Dot",
  "Dropout",
  "Flatten",
  "GaussianDropout",
  "GaussianNoise",
  "GlobalAveragePooling1D",
  "GlobalMaxPooling1D",
  "LayerNormalization",
  "LeakyReLU",
  "MaxPooling1D",
  "MaxPooling2D",
  "Maximum",
  "Minimum",
  "Multiply",
  "PReLU",
  "Permute",
  "RepeatVector",
  "Rescaling",
  "Reshape",
  "SeparableConv2D",
  "Softmax",
  "ThresholdedReLU",
  "ZeroPadding2D",
  // Layers of ours, which a tfjs model.json names by themselves.
  "AdaptiveAveragePooling2D",
  "CroppedCentre",
  "CustomScaleLayer",
  "GlobalMaxPooling2DKeepdims",
  "GroupNormalization",
  "LocalResponseNormalization",
  "PadChannels",
  "PaddedPooling2D",
  "Power",
  "RandomAugmentation",
  "ResizedTo",
  "ScaledELU",
  "ScaledUp2D",
] as const;

const makers: Readonly<Record<string, (making: Request) => Layer>> = {
  ...Object.fromEntries(
    plainClasses.map((className) => [className, ({ args }: Request) => fromRegistry(className, args)]),
  ),
  // Names of Keras 1 and of Keras' own aliases.
  Convolution2D: ({ args }) => new Conv2D(args as never),
  SeparableConvolution2D: ({ args }) => fromRegistry("SeparableConv2D", args),
  BatchNormalizationV1: ({ args }) => fromRegistry("BatchNormalization", args),
  Conv2D: ({ args }) => new Conv2D(args as never),
  CenterCrop: ({ args, config }) =>
    new CroppedCentre({ ...base(args), height: Number(config["height"]), width: Number(config["width"]) }),
  ELU: ({ args, config }) => {
    const alpha = numberOf(config["alpha"], 1);
    return alpha === 1 ? tfl.layers.elu(base(args)) : new ScaledELU({ ...base(args), alpha });
  },
  LeakyReLU: ({ args, config }) =>
    tfl.layers.leakyReLU({ ...base(args), alpha: numberOf(config["negative_slope"] ?? config["alpha"], 0.3) }),
  ReLU: ({ args, config, refuse }) => {
    const [slope, threshold] = [numberOf(config["negative_slope"], 0), numberOf(config["threshold"], 0)];
    const largest = config["max_value"];
    if (threshold !== 0) return refuse(`a threshold of ${threshold} is not known to tfjs`);
    if (slope === 0)
      return tfl.layers.reLU({ ...base(args), ...(typeof largest === "number" ? { maxValue: largest } : {}) });
    return largest == null
      ? tfl.layers.leakyReLU({ ...base(args), alpha: slope })
      : refuse("negative_slope together with max_value is not known to tfjs");
  },
  GlobalAveragePooling2D: ({ args }) =>
    new GlobalAveragePooling2D({
      ...base(args),
      dataFormat: "channelsLast",
      keepdims: args["keepdims"] === true,
    } as never),
  GlobalMaxPooling2D: ({ args }) =>
    args["keepdims"] === true
      ? new GlobalMaxPooling2DKeepdims(base(args))
      : tfl.layers.globalMaxPooling2d({ ...base(args), dataFormat: "channelsLast" }),
  Normalization: ({ args, config, refuse }) => {
    const axis = config["axis"];
    const axes = Array.isArray(axis) ? axis : [axis ?? -1];
    if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== 3))
      return refuse(`axis ${JSON.stringify(axis)} is not known, only the channels`);
    if (config["invert"] === true) return refuse("invert is not known");
    const { mean, variance } = config;
    if (mean == null || variance == null) return new Normalization(base(args));
    // Statistics that were given are no weights; 1e-7 is Keras' own guard against a variance of zero.
    const means = [mean].flat(8).map(Number);
    const scale = [variance].flat(8).map((value) => 1 / Math.max(Math.sqrt(Number(value)), 1e-7));
    const offset = scale.map((factor, channel) => -factor * (means[channel] ?? means[0]!));
    return tfl.layers.rescaling({ ...base(args), scale: scale as never, offset: offset as never });
  },
  UpSampling2D: ({ args, config, refuse }) => {
    const interpolation = config["interpolation"] ?? "nearest";
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return refuse(`interpolation ${String(interpolation)} is not known`);
    const size = pairOf(config["size"], 2);
    return interpolation === "nearest"
      ? tfl.layers.upSampling2d({ ...base(args), size })
      : new ScaledUp2D({ ...base(args), size, interpolation });
  },
  Resizing: ({ args, config, refuse }) => {
    const { interpolation = "bilinear", height, width } = config;
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return refuse(`interpolation ${String(interpolation)} is not known`);
    if (config["crop_to_aspect_ratio"] === true || config["pad_to_aspect_ratio"] === true)
      return refuse("aspect ratios are not kept");
    return new ResizedTo({ ...base(args), height: Number(height), width: Number(width), interpolation });
  },
  AdaptiveAveragePooling2D: ({ args, config }) =>
    new AdaptiveAveragePooling2D({ ...base(args), outputSize: pairOf(config["output_size"], 1) } as never),
  Identity: ({ args }) => new Identity(base(args)),
  ActivityRegularization: ({ args }) => new Identity(base(args)),
  Subtract: ({ args }) => new Subtract(base(args)),
  SpatialDropout2D: ({ args, config }) => new SpatialDropout2D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  RandomFlip: (making) =>
    augment(making, {
      flip: (making.config["mode"] ?? "horizontal_and_vertical") as NonNullable<Augmentation["flip"]>,
    }),
  RandomRotation: (making) => augment(making, { rotation: rangeOf(making.config["factor"]), ...fillOf(making) }),
  RandomZoom: (making) => {
    const { height_factor: height, width_factor: width } = making.config;
    return augment(making, {
      moves: "zoom",
      height: rangeOf(height),
      ...(width == null ? {} : { width: rangeOf(width) }),
      ...fillOf(making),
    });
  },
  RandomTranslation: (making) =>
    augment(making, {
      moves: "translation",
      height: rangeOf(making.config["height_factor"]),
      width: rangeOf(making.config["width_factor"]),
      ...fillOf(making),
    }),
  RandomContrast: (making) => {
    const [low, high] = rangeOf(making.config["factor"]);
    return augment(making, { contrast: [1 + low, 1 + high] });
  },
  RandomBrightness: (making) => {
    const [low, high] = rangeOf(making.config["factor"]);
    const values = making.config["value_range"];
    const range = Array.isArray(values) ? Number(values[1]) - Number(values[0]) : 255;
    return augment(making, { brightness: [low * range, high * range] });
  },
};

/** Bare operations of Keras 3 (`x * 2`, `keras.ops.relu(x)`) and of Keras 2 (TFOpLambda), by their last name. */
const operations: Readonly<Record<string, (making: Request) => Layer>> = {
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

/** What is shared while one model is made. */
export interface Making {
  readonly fresh: boolean;
  /** How many numbers its weights may still have. */
  left: number;
}

/** A layer may state any size: what the file cannot fill is refused before memory is taken for it. */
function limitWeights(layer: Layer, making: Making, refuse: (problem: string) => never): void {
  const guarded = layer as unknown as {
    addWeight(name: string, shape: readonly number[], ...rest: unknown[]): tfl.LayerVariable;
  };
  const add = guarded.addWeight.bind(layer);
  guarded.addWeight = (name, shape, ...rest) => {
    making.left -= shape.reduce((product, size) => product * size, 1);
    if (making.left < 0) refuse(`its weight "${name}" of [${shape}] is more than the file has numbers for`);
    return add(name, shape, ...rest);
  };
}

/** Whether there is a maker for this layer or operation. */
export function isKnown(layer: LayerConfig): boolean {
  const operation = operationOf(layer);
  if (operation !== undefined) return Object.hasOwn(operations, operation);
  return Object.hasOwn(makers, layer.className) || layer.className === "InputLayer" || isModel(layer.className);
}

/** The name of a bare operation. Keras 3's .h5 leaves the module out: then the class alone or a number among the arguments tells. */
function operationOf({ className, module, config, calls }: LayerConfig): string | undefined {
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

function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The tfjs layer of one layer of a Keras model; throws `WeightsError` naming it and its place where there is none. */
export function makeLayer(file: string, layer: LayerConfig, making: Making): Layer {
  const { name, className, config, calls, place } = layer;
  const refuse = (problem: string): never => {
    throw new WeightsError(file, place, problem);
  };
  const operation = operationOf(layer);
  const make = operation === undefined ? ownEntry(makers, className) : ownEntry(operations, operation);
  if (make === undefined)
    return refuse(`the ${operation === undefined ? `layer ${className}` : `operation ${operation}`} is not known`);
  if (config["data_format"] === "channels_first")
    return refuse("channels come first: save the model with channels last");
  try {
    const made = make({ name, args: { ...converted(config, className), name }, config, call: calls[0], refuse });
    limitWeights(made, making, refuse);
    // Weights that come from the file need no drawing.
    if (!making.fresh)
      (made as unknown as { setFastWeightInitDuringBuild(fast: boolean): void }).setFastWeightInitDuringBuild(true);
    return made;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, place, `tfjs cannot make it: ${(error as Error).message}`, { cause: error });
  }
}

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

function augment({ args }: Request, augmentation: Augmentation): Layer {
  return new RandomAugmentation({ ...base(args), augmentation });
}

function fromRegistry(className: string, args: Record<string, unknown>): Layer {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (cls: unknown, config: unknown) => Layer,
  ];
  return fromConfig(cls, args);
}

function base(args: Record<string, unknown>): { name: string; trainable?: boolean } {
  return {
    name: args["name"] as string,
    ...(typeof args["trainable"] === "boolean" ? { trainable: args["trainable"] } : {}),
  };
}

/** Python's configuration in tfjs' form. What tfjs has no word for (dtype policies, quantisation) is left out. */
function converted(config: JsonObject, className: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    if (ignoredKeys.has(key) || value === null) continue;
    const camel = camelCase(key);
    if (key === "activation") out[camel] = activationOf(value, config);
    else if (/_(initializer|regularizer|constraint)$/.test(key)) out[camel] = functionOf(value);
    else if (key === "data_format") out[camel] = "channelsLast";
    else out[camel] = value;
  }
  if (className === "SeparableConv2D")
    for (const key of ["kernelInitializer", "kernelRegularizer", "kernelConstraint"]) delete out[key];
  if (
    className === "DepthwiseConv2D" &&
    out["depthwiseInitializer"] === undefined &&
    out["kernelInitializer"] !== undefined
  ) {
    out["depthwiseInitializer"] = out["kernelInitializer"];
  }
  // Keras 2 wrote a list of one axis.
  if (Array.isArray(out["axis"]) && out["axis"].length === 1) out["axis"] = (out["axis"] as unknown[])[0];
  return out;
}

const ignoredKeys = new Set([
  "dtype",
  "batch_input_shape",
  "batch_shape",
  "quantization_config",
  "renorm",
  "renorm_clipping",
  "renorm_momentum",
  "synchronized",
  "seed",
  "ragged",
  "sparse",
]);

function activationOf(value: unknown, config: JsonObject): string {
  // Keras 3 wraps what is no function of its own in an object.
  const inner = isObject(value) ? (value["config"] ?? value["class_name"]) : value;
  const name = typeof inner === "string" ? inner : String(isObject(value) ? value["class_name"] : value);
  // Only Keras 3 gives a layer's dtype as a policy; its hard_sigmoid is another function than Keras 2's.
  if (name === "hard_sigmoid" && isObject(config["dtype"])) return keras3HardSigmoid;
  const camel = camelCase(name);
  const own = camel === keras3HardSigmoid || Object.values(activationNames).includes(camel) ? camel : undefined;
  const known = Object.hasOwn(activationNames, name) ? activationNames[name] : own;
  if (known === undefined) throw new Error(`the activation ${name} is not known`);
  return known;
}

function camelCase(text: string): string {
  return text.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** An initializer, regularizer or constraint as `{className, config}` with tfjs' keys. */
function functionOf(value: unknown): unknown {
  if (!isObject(value)) return typeof value === "string" ? camelCase(value) : value;
  const config = isObject(value["config"]) ? value["config"] : {};
  const plain = Object.fromEntries(
    Object.entries(config)
      .filter(([key, part]) => part !== null && !["dtype", "input_axes", "output_axes"].includes(key))
      .map(([key, part]) => [camelCase(key), part]),
  );
  const className = String(value["class_name"]);
  if (className === "L2" || className === "L1" || className === "L1L2")
    return { className: "L1L2", config: { l1: plain["l1"] ?? 0, l2: plain["l2"] ?? 0 } };
  const renamed: Readonly<Record<string, string>> = {
    LecunNormal: "LeCunNormal",
    LecunUniform: "LeCunUniform",
    OrthogonalInitializer: "Orthogonal",
  };
  if (className === "VarianceScaling" && plain["distribution"] === "untruncated_normal")
    plain["distribution"] = "normal";
  if (typeof plain["distribution"] === "string")
    plain["distribution"] = plain["distribution"].replace("truncated_normal", "truncatedNormal");
  if (typeof plain["mode"] === "string") plain["mode"] = camelCase(plain["mode"]);
  return { className: renamed[className] ?? className, config: plain };
}

function numberOf(value: unknown, otherwise: number): number {
  if (typeof value === "number") return value;
  // Keras 2 wrote NumPy scalars as objects.
  return isObject(value) && typeof value["value"] === "number" ? value["value"] : otherwise;
}

function pairOf(value: unknown, otherwise: number): [number, number] {
  if (Array.isArray(value)) return [Number(value[0]), Number(value[1])];
  const number = numberOf(value, otherwise);
  return [number, number];
}

/** Keras' factor: one number for both sides, or the two. */
function rangeOf(value: unknown): readonly [number, number] {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [-numberOf(value, 0), numberOf(value, 0)];
}

function fillOf({ config }: Request): Pick<Augmentation, "fill"> {
  const fill = config["fill_mode"];
  return typeof fill === "string" ? { fill: fill as NonNullable<Augmentation["fill"]> } : {};
}
