import { shown } from "@convkit/errors";
import { KerasOnlyAugmentation } from "@convkit/augment";
import { AdaptiveAveragePooling2D, Conv2D, GlobalAveragePooling2D, Normalization } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { Attention, MultiHeadAttention } from "../../layers/attention.ts";
import {
  Conv1DTranspose,
  DepthwiseConv1D,
  GroupedConv1D,
  LocallyConnected2D,
  SeparableConv1D,
} from "../../layers/kernels.ts";
import { ResetAfterGRU } from "../../layers/recurrent.ts";
import { Operation } from "../../operations/operation.ts";
import { operationTable } from "../../operations/table.ts";
import { DilatedDepthwiseConv2D, SizedConv2DTranspose } from "../../layers/convolutions.ts";
import { AxesNormalization, RenormBatchNormalization, RMSNormalization } from "../../layers/norms.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D } from "../../layers/resize.ts";
import {
  BentReLU,
  GlobalMaxPooling2DKeepdims,
  Identity,
  ScaledELU,
  SoftmaxOver,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
  Subtract,
} from "../../layers/base-layers.ts";
import { ownClass } from "../../layers/register.ts";
import { base, numberOf, pairOf } from "./layer-args.ts";
import type { LayerCall } from "./config.ts";

type Layer = tfl.layers.Layer;

/** The arguments of a layer's maker: the configuration in tfjs' form, and `refuse` for options that tfjs lacks. */
export interface Request {
  readonly name: string;
  /** In tfjs' form: camelCase, activations and initializers by tfjs' names. */
  readonly args: Record<string, unknown>;
  /** The configuration as the file states it. */
  readonly config: JsonObject;
  readonly call: LayerCall | undefined;
  /** Makes a layer within this one, from its class and configuration in the file. */
  make(className: string, config: JsonObject): Layer;
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
  "AveragePooling3D",
  "BatchNormalization",
  "BatchStatisticsNormalization",
  "Concatenate",
  "Conv1D",
  "Conv2D",
  "Conv2DTranspose",
  "Conv3D",
  "Conv3DTranspose",
  "ConvLSTM2D",
  "Cropping2D",
  "Dense",
  "DepthwiseConv2D",
  "Dot",
  "Dropout",
  "Embedding",
  "Flatten",
  "GaussianDropout",
  "GaussianNoise",
  "GlobalAveragePooling1D",
  "GlobalMaxPooling1D",
  "LayerNormalization",
  "LSTM",
  "LeakyReLU",
  "Masking",
  "MaxPooling1D",
  "MaxPooling2D",
  "MaxPooling3D",
  "Maximum",
  "Minimum",
  "Multiply",
  "PReLU",
  "Permute",
  "RepeatVector",
  "Rescaling",
  "Reshape",
  "SeparableConv2D",
  "SimpleRNN",
  "Softmax",
  "ThresholdedReLU",
  "UnitNormalization",
  "ZeroPadding2D",
  // convkit's own layers, by their class names in a tfjs model.json.
  "AdaptiveAveragePooling2D",
  "AxesNormalization",
  "BentReLU",
  "Clipped",
  "CroppedCentre",
  "CustomScaleLayer",
  "DilatedDepthwiseConv2D",
  "GlobalMaxPooling2DKeepdims",
  "GroupNormalization",
  "GroupedConv1D",
  "KerasOnlyAugmentation",
  "LayerScale",
  "LocalResponseNormalization",
  "Operation",
  "PadChannels",
  "PaddedPooling2D",
  "Power",
  "RMSNormalization",
  "RandomAugmentation",
  "RandomBrightness",
  "RandomContrast",
  "RandomCrop",
  "RandomErasing",
  "RandomFlip",
  "RandomHue",
  "RandomRotation",
  "RandomSaturation",
  "RandomShear",
  "RandomTranslation",
  "RandomZoom",
  "RenormBatchNormalization",
  "ResetAfterGRU",
  "ResizedTo",
  "ScaledELU",
  "ScaledUp2D",
  "SizedConv2DTranspose",
  "Sliced",
  "SoftmaxOver",
  "Stacked",
] as const;

/** Random layers of Keras that do nothing in prediction. Their work in training is not supported here. */
const predictionOnly = [
  "AugMix",
  "CutMix",
  "MixUp",
  "RandomColorDegeneration",
  "RandomColorJitter",
  "RandomElasticTransform",
  "RandomGaussianBlur",
  "RandomGrayscale",
  "RandomHeight",
  "RandomInvert",
  "RandomPerspective",
  "RandomPosterization",
  "RandomSharpness",
  "RandomWidth",
] as const;

const ownKernels = {
  Attention,
  Conv1DTranspose,
  DepthwiseConv1D,
  LocallyConnected2D,
  MultiHeadAttention,
  SeparableConv1D,
};

/** One maker for each class of Keras, of tfjs and of this package. */
export const makers: Readonly<Record<string, (making: Request) => Layer>> = {
  ...Object.fromEntries(
    plainClasses.map((className) => [className, ({ args }: Request) => fromRegistry(className, args)]),
  ),
  ...Object.fromEntries(
    predictionOnly.map((className) => [className, (making: Request) => kerasOnly(className, making)]),
  ),
  // Names of Keras 1 and of Keras' own aliases.
  ...Object.fromEntries(
    Object.entries(ownKernels).map(([className, Own]) => [className, ({ args }: Request) => new Own(args as never)]),
  ),
  ...Object.fromEntries(
    ["1D", "2D", "3D"].flatMap((rank) => [
      [`ZeroPadding${rank}`, (making: Request) => operation(making, "zeropadding", ["padding"])],
      [`Cropping${rank}`, (making: Request) => operation(making, "cropping", ["cropping"])],
      [`UpSampling${rank}`, (making: Request) => operation(making, "upsampling", ["size", "interpolation"])],
      [
        `GlobalAveragePooling${rank}`,
        (making: Request) => operation(making, "globalpool", ["keepdims"], { kind: "avg" }),
      ],
      [`GlobalMaxPooling${rank}`, (making: Request) => operation(making, "globalpool", ["keepdims"], { kind: "max" })],
      [
        `AdaptiveAveragePooling${rank}`,
        (making: Request) => operation(making, "adaptivepool", ["output_size"], { kind: "avg" }),
      ],
      [
        `AdaptiveMaxPooling${rank}`,
        (making: Request) => operation(making, "adaptivepool", ["output_size"], { kind: "max" }),
      ],
    ]),
  ),
  ZeroPadding2D: ({ args }) => fromRegistry("ZeroPadding2D", args),
  Cropping2D: ({ args }) => fromRegistry("Cropping2D", args),
  GlobalAveragePooling1D: (making) => globalPool1d(making, "avg"),
  GlobalMaxPooling1D: (making) => globalPool1d(making, "max"),
  Discretization: (making) =>
    (making.config["output_mode"] ?? "int") === "int"
      ? operation(making, "discretization", ["bin_boundaries"])
      : making.refuse("only whole numbers as its output are known"),
  Conv1D: ({ args, config }) =>
    config["padding"] === "causal" || Number(config["groups"] ?? 1) > 1
      ? new GroupedConv1D(args as never)
      : fromRegistry("Conv1D", args),
  GRU: ({ args, config, refuse }) => {
    if (config["reset_after"] !== true) return fromRegistry("GRU", args);
    if (config["return_state"] === true || config["stateful"] === true)
      return refuse("a GRU that gives its state out or keeps it is not known");
    return new ResetAfterGRU(args as never);
  },
  TimeDistributed: ({ args, config, make, refuse }) =>
    tfl.layers.timeDistributed({ ...base(args), layer: inner(config["layer"], make, refuse) }),
  Bidirectional: ({ args, config, make, refuse }) => {
    const merge = config["merge_mode"] ?? null;
    const layer = inner(config["layer"], make, refuse);
    return tfl.layers.bidirectional({ ...base(args), layer: layer as never, mergeMode: merge as "concat" });
  },
  SyncBatchNormalization: ({ args }) => fromRegistry("BatchNormalization", args),
  BatchNormalization: ({ args, config }) =>
    config["renorm"] === true ? new RenormBatchNormalization(args as never) : fromRegistry("BatchNormalization", args),
  LayerNormalization: ({ args, config }) =>
    config["rms_scaling"] === true
      ? new RMSNormalization({
          ...base(args),
          axis: args["axis"] as number,
          epsilon: numberOf(config["epsilon"], 1e-3),
          ofVariance: true,
        })
      : fromRegistry("LayerNormalization", args),
  SpatialDropout1D: ({ args, config }) => new SpatialDropout1D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  SpatialDropout3D: ({ args, config }) => new SpatialDropout3D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  Convolution2D: ({ args }) => new Conv2D(args as never),
  SeparableConvolution2D: ({ args }) => fromRegistry("SeparableConv2D", args),
  BatchNormalizationV1: ({ args }) => fromRegistry("BatchNormalization", args),
  Conv2D: ({ args }) => new Conv2D(args as never),
  Conv2DTranspose: ({ args, config }) => {
    const isStock = config["output_padding"] == null && pairOf(config["dilation_rate"], 1).every((rate) => rate === 1);
    return isStock ? fromRegistry("Conv2DTranspose", args) : new SizedConv2DTranspose(args as never);
  },
  DepthwiseConv2D: ({ args, config }) =>
    pairOf(config["dilation_rate"], 1).every((rate) => rate === 1)
      ? fromRegistry("DepthwiseConv2D", args)
      : new DilatedDepthwiseConv2D(args as never),
  Softmax: ({ args }) =>
    (args["axis"] ?? -1) === -1
      ? fromRegistry("Softmax", args)
      : new SoftmaxOver({ ...base(args), axis: args["axis"] as number | number[] }),
  CenterCrop: ({ args, config }) =>
    new CroppedCentre({ ...base(args), height: Number(config["height"]), width: Number(config["width"]) }),
  ELU: ({ args, config }) => {
    const alpha = numberOf(config["alpha"], 1);
    return alpha === 1 ? tfl.layers.elu(base(args)) : new ScaledELU({ ...base(args), alpha });
  },
  LeakyReLU: ({ args, config }) =>
    tfl.layers.leakyReLU({ ...base(args), alpha: numberOf(config["negative_slope"] ?? config["alpha"], 0.3) }),
  ReLU: ({ args, config }) => {
    const [slope, threshold] = [numberOf(config["negative_slope"], 0), numberOf(config["threshold"], 0)];
    const largest = config["max_value"] == null ? null : numberOf(config["max_value"], 0);
    if (threshold !== 0 || (slope !== 0 && largest !== null))
      return new BentReLU({ ...base(args), maxValue: largest, negativeSlope: slope, threshold });
    if (slope !== 0) return tfl.layers.leakyReLU({ ...base(args), alpha: slope });
    return tfl.layers.reLU({ ...base(args), ...(largest === null ? {} : { maxValue: largest }) });
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
    const { axis, mean, variance } = config;
    const axes = Array.isArray(axis) ? axis.map(Number) : axis === null ? [] : [Number(axis ?? -1)];
    const [isChannels, invert] = [axes.length === 1 && (axes[0] === -1 || axes[0] === 3), config["invert"] === true];
    if (mean == null || variance == null) {
      return isChannels && !invert
        ? new Normalization(base(args))
        : new AxesNormalization({ ...base(args), axis: axes, invert });
    }
    // Statistics given as options are not weights. 1e-7 is Keras' own guard against a variance of zero.
    const means = [mean].flat(8).map(Number);
    const deviations = [variance].flat(8).map((value) => Math.max(Math.sqrt(Number(value)), 1e-7));
    if (!isChannels && Math.max(means.length, deviations.length) > 1)
      return refuse(`axis ${shown(axis)} with given statistics is not known, only the channels`);
    const meanOf = (channel: number): number => means[channel] ?? means[0]!;
    const scale = invert ? deviations : deviations.map((deviation) => 1 / deviation);
    const offset = scale.map((factor, channel) => (invert ? meanOf(channel) : -factor * meanOf(channel)));
    return tfl.layers.rescaling({ ...base(args), scale: scale as never, offset: offset as never });
  },
  UpSampling2D: (making) => {
    const { args, config, refuse } = making;
    const interpolation = config["interpolation"] ?? "nearest";
    if (interpolation === "bicubic") return operation(making, "upsampling", ["size", "interpolation"]);
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return refuse(`interpolation ${String(interpolation)} is not known`);
    const size = pairOf(config["size"], 2);
    return interpolation === "nearest"
      ? tfl.layers.upSampling2d({ ...base(args), size })
      : new ScaledUp2D({ ...base(args), size, interpolation });
  },
  Resizing: (making) => {
    const { args, config, refuse } = making;
    const { interpolation = "bilinear", height, width } = config;
    if (config["antialias"] === true) return refuse("antialias is not known");
    const keepsRatio = config["crop_to_aspect_ratio"] === true || config["pad_to_aspect_ratio"] === true;
    if (keepsRatio || interpolation === "bicubic") {
      const keys = ["interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value"];
      return operation(making, "resize", keys, { size: [Number(height), Number(width)] });
    }
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return refuse(`interpolation ${String(interpolation)} is not known`);
    return new ResizedTo({ ...base(args), height: Number(height), width: Number(width), interpolation });
  },
  AdaptiveAveragePooling2D: ({ args, config }) =>
    new AdaptiveAveragePooling2D({ ...base(args), outputSize: pairOf(config["output_size"], 1) } as never),
  Identity: ({ args }) => new Identity(base(args)),
  ActivityRegularization: ({ args }) => new Identity(base(args)),
  Subtract: ({ args }) => new Subtract(base(args)),
  SpatialDropout2D: ({ args, config }) => new SpatialDropout2D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  // Our RandAugment follows the paper; Keras' layer of this name makes other changes. Only Keras writes a value range.
  RandAugment: (making) =>
    making.config["value_range"] === undefined
      ? fromRegistry("RandAugment", making.args)
      : kerasOnly("RandAugment", making),
};

/** A layer of a class that tfjs knows, from its configuration. */
export function fromRegistry(className: string, args: Record<string, unknown>): Layer {
  const Own = ownClass(className);
  if (Own !== undefined) return new Own(args as never);
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (cls: unknown, config: unknown) => Layer,
  ];
  return fromConfig(cls, args);
}

/** A layer that predicts as in Keras and throws in training. */
function kerasOnly(className: string, { args, config }: Request): Layer {
  const { name: _, trainable: __, dtype: ___, ...own } = config;
  return new KerasOnlyAugmentation({ ...base(args), kerasClass: className, kerasConfig: own });
}

/** A layer without weights that runs an operation of the table, with some of the layer's options. */
function operation(
  { args, config }: Request,
  op: string,
  keys: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Layer {
  const own = Object.fromEntries(keys.flatMap((key) => (config[key] == null ? [] : [[key, config[key]]])));
  const [first] = operationTable[op]![0].split(" ") as [string];
  return new Operation({ ...base(args), op, values: { [first]: { slot: 0 }, ...own, ...more } });
}

function globalPool1d(making: Request, kind: "avg" | "max"): Layer {
  if (making.args["keepdims"] === true) return operation(making, "globalpool", ["keepdims"], { kind });
  return fromRegistry(kind === "avg" ? "GlobalAveragePooling1D" : "GlobalMaxPooling1D", making.args);
}

/** Makes the layer inside a wrapper layer. */
function inner(value: unknown, make: Request["make"], refuse: Request["refuse"]): Layer {
  if (!isObject(value) || typeof value["class_name"] !== "string" || !isObject(value["config"]))
    return refuse("expected a layer with class_name and config within it");
  return make(value["class_name"], value["config"]);
}
