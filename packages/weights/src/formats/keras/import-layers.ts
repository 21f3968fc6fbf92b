import { KerasOnlyAugmentation } from "@convkit/augment";
import { AdaptiveAveragePooling2D, Conv2D, GlobalAveragePooling2D, Normalization } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { Attention, MultiHeadAttention } from "../../layers/attention.ts";
import type { AttentionCall } from "../../layers/attention.ts";
import { EinsumDense } from "../../layers/einsum-dense.ts";
import { ConvLSTM1D, ConvLSTM3D } from "../../layers/conv-lstm.ts";
import {
  Conv1DTranspose,
  DepthwiseConv1D,
  GroupedConv1D,
  LocallyConnected1D,
  LocallyConnected2D,
  SeparableConv1D,
} from "../../layers/kernels.ts";
import { ResetAfterGRU } from "../../layers/recurrent.ts";
import { RecurrentStack } from "../../layers/recurrent-stack.ts";
import { Operation } from "../../operations/operation.ts";
import { operationTable } from "../../operations/table.ts";
import {
  DilatedDepthwiseConv2D,
  GroupedConv3D,
  SizedConv2DTranspose,
  SizedConv3DTranspose,
} from "../../layers/convolutions.ts";
import { AxesNormalization, RenormBatchNormalization, RMSNormalization } from "../../layers/norms.ts";
import {
  ActivityRegularization,
  Bidirectional,
  MaskedAverage1D,
  MaskedLayer,
  SpectralNormalization,
} from "../../layers/wrappers.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D, TrainingCrop } from "../../layers/resize.ts";
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
import type { BoundCall } from "./call-arguments.ts";
import type { LayerCall } from "./config.ts";

type Layer = tfl.layers.Layer;

/** The arguments of a layer's maker: the configuration in tfjs' form, and `refuse` for options that tfjs lacks. */
export interface Request {
  readonly name: string;
  /** In tfjs' form: camelCase, activations and initializers by tfjs' names. */
  readonly args: Record<string, unknown>;
  /** The configuration as the file states it. */
  readonly config: JsonObject;
  readonly call: (LayerCall & Partial<BoundCall>) | undefined;
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
  "DropBlock2D",
  "GlobalMaxPooling2DKeepdims",
  "GroupNormalization",
  "GroupedConv1D",
  "GroupedConv3D",
  "KerasOnlyAugmentation",
  "LayerScale",
  "LocalResponseNormalization",
  "MaskedZeros",
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
  "SizedConv3DTranspose",
  "ShuffleChannels",
  "SliceChannels",
  "Sliced",
  "SoftmaxOver",
  "Stacked",
  "TrainingCrop",
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
  "Solarization",
] as const;

const ownKernels = {
  Conv1DTranspose,
  DepthwiseConv1D,
  EinsumDense,
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
  GlobalAveragePooling1D: ({ args }) => new MaskedAverage1D(args as never),
  GlobalMaxPooling1D: (making) => globalPool1d(making),
  Discretization: (making) => operation(making, "discretization", ["bin_boundaries", "output_mode"]),
  Conv1D: ({ args, config }) =>
    config["padding"] === "causal" || Number(config["groups"] ?? 1) > 1
      ? new GroupedConv1D(args as never)
      : fromRegistry("Conv1D", args),
  Attention: (making) => attention(making, making.config["score_mode"] === "concat" ? "concat" : "dot"),
  AdditiveAttention: (making) => attention(making, "add"),
  MultiHeadAttention: ({ args, config, call, refuse }) => {
    if (config["use_gate"] === true || config["sliding_window"] != null || config["softmax_robust_masking"] === true)
      return refuse("a gate, a sliding window or robust masking is not known");
    return new MultiHeadAttention({ ...args, ...attentionCall(call) } as never);
  },
  GroupQueryAttention: (making) => groupedQueries(making),
  GroupedQueryAttention: (making) => groupedQueries(making),
  GRU: ({ args, config, refuse }) => {
    if (config["reset_after"] !== true) return fromRegistry("GRU", args);
    if (config["stateful"] === true) return refuse("a GRU that keeps its state between batches is not known");
    return new ResetAfterGRU(args as never);
  },
  RNN: (making) => ofCell(making),
  TimeDistributed: ({ args, config, call, make, refuse }) => {
    const layer = inner(config["layer"], make, refuse);
    if (call?.kwargs["mask"] !== undefined && "returnSequences" in layer)
      refuse("a mask for the layer within is not known");
    return tfl.layers.timeDistributed({ ...base(args), layer });
  },
  SpectralNormalization: ({ args, config, make, refuse }) =>
    new SpectralNormalization({
      ...base(args),
      name: base(args).name,
      layer: inner(config["layer"], make, refuse),
      powerIterations: numberOf(config["power_iterations"], 1),
    }),
  Bidirectional: ({ args, config, make, refuse }) => {
    const merge = config["merge_mode"] ?? null;
    const layer = inner(zeroing(config["layer"]), make, refuse);
    const both = new Bidirectional({ ...base(args), layer: layer as never, mergeMode: merge as "concat" });
    if (args["trainable"] === false) both.trainable = false;
    if (config["backward_layer"] == null) return both;
    const backward = inner(zeroing(config["backward_layer"]), make, refuse);
    backward.name = `backward_${backward.name}`;
    return Object.assign(both, { backwardLayer: backward });
  },
  Conv3D: ({ args, config }) =>
    Number(config["groups"] ?? 1) > 1 || [config["dilation_rate"] ?? 1].flat().some((rate) => rate !== 1)
      ? new GroupedConv3D(args as never)
      : fromRegistry("Conv3D", args),
  Conv3DTranspose: ({ args, config }) =>
    config["output_padding"] == null && [config["dilation_rate"] ?? 1].flat().every((rate) => rate === 1)
      ? fromRegistry("Conv3DTranspose", args)
      : new SizedConv3DTranspose(args as never),
  Flatten: ({ args }) => {
    const layer = fromRegistry("Flatten", args);
    // tfjs refuses a batch of rows, which Keras returns as it is.
    layer.inputSpec = [];
    return layer;
  },
  CategoryEncoding: (making) => operation(making, "categoryencoding", ["num_tokens", "output_mode"]),
  SyncBatchNormalization: ({ args }) => fromRegistry("BatchNormalization", args),
  ConvLSTM1D: ({ args, config, refuse }) =>
    config["stateful"] === true
      ? refuse("a ConvLSTM1D that keeps its state between batches is not known")
      : new ConvLSTM1D(args as never),
  ConvLSTM3D: ({ args, config, refuse }) =>
    config["stateful"] === true
      ? refuse("a ConvLSTM3D that keeps its state between batches is not known")
      : new ConvLSTM3D(args as never),
  MaskedLayer: ({ args, config, make, refuse }) =>
    new MaskedLayer({
      ...base(args),
      name: base(args).name,
      layer: inner(config["layer"], make, refuse),
      zeros: config["zeros"] === true,
    }),
  RecurrentStack: ({ args, config, make, refuse }) =>
    new RecurrentStack({
      ...base(args),
      layers: [config["layers"] ?? []].flat().map((layer) => inner(layer, make, refuse)),
    }),
  LocallyConnected1D: (making) => locallyConnected(LocallyConnected1D, making),
  LocallyConnected2D: (making) => locallyConnected(LocallyConnected2D, making),
  AddLoss: ({ args }) => new Identity(base(args)),
  AddMetric: ({ args }) => new Identity(base(args)),
  BatchNormalization: ({ args, config, refuse }) =>
    Array.isArray(config["axis"]) && config["axis"].length > 1
      ? refuse("a batch normalization over several axes is not known")
      : config["renorm"] === true
        ? new RenormBatchNormalization(args as never)
        : fromRegistry("BatchNormalization", args),
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
  // Names of Keras 1 and of Keras' own aliases.
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
  Normalization: (making) => {
    const { args, config } = making;
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
      return operation(making, "normalization", ["mean", "variance", "invert"], { axis: axes });
    const meanOf = (channel: number): number => means[channel] ?? means[0]!;
    const scale = invert ? deviations : deviations.map((deviation) => 1 / deviation);
    const offset = scale.map((factor, channel) => (invert ? meanOf(channel) : -factor * meanOf(channel)));
    return tfl.layers.rescaling({ ...base(args), scale: scale as never, offset: offset as never });
  },
  UpSampling2D: (making) => {
    const { args, config } = making;
    const interpolation = config["interpolation"] ?? "nearest";
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return operation(making, "upsampling", ["size", "interpolation"]);
    const size = pairOf(config["size"], 2);
    return interpolation === "nearest"
      ? tfl.layers.upSampling2d({ ...base(args), size })
      : new ScaledUp2D({ ...base(args), size, interpolation });
  },
  Resizing: (making) => {
    const { args, config } = making;
    const { interpolation = "bilinear", height, width } = config;
    const isPlain = !["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"].some((key) => config[key] === true);
    if (!isPlain || (interpolation !== "nearest" && interpolation !== "bilinear")) {
      const keys = [
        "interpolation",
        "antialias",
        "crop_to_aspect_ratio",
        "pad_to_aspect_ratio",
        "fill_mode",
        "fill_value",
      ];
      return operation(making, "resize", keys, { size: [Number(height), Number(width)] });
    }
    return new ResizedTo({ ...base(args), height: Number(height), width: Number(width), interpolation });
  },
  AdaptiveAveragePooling2D: ({ args, config }) =>
    new AdaptiveAveragePooling2D({ ...base(args), outputSize: pairOf(config["output_size"], 1) } as never),
  AutoContrast: (making) => operation(making, "autocontrast", ["value_range"]),
  // Only Keras 3 writes the type as an object. It crops in training alone.
  RandomCrop: ({ args, config }) =>
    isObject(config["dtype"])
      ? new TrainingCrop({ ...base(args), height: Number(config["height"]), width: Number(config["width"]) })
      : fromRegistry("RandomCrop", args),
  Identity: ({ args }) => new Identity(base(args)),
  MaxNumBoundingBoxes: ({ args }) => new Identity(base(args)),
  ActivityRegularization: ({ args, config }) =>
    new ActivityRegularization({ ...base(args), l1: numberOf(config["l1"], 0), l2: numberOf(config["l2"], 0) }),
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

function globalPool1d(making: Request): Layer {
  if (making.args["keepdims"] === true) return operation(making, "globalpool", ["keepdims"], { kind: "max" });
  return fromRegistry("GlobalMaxPooling1D", making.args);
}

/** The arguments of an attention's call, in tfjs' form. */
function attentionCall(call: Request["call"]): AttentionCall {
  if (call?.roles === undefined || call.options === undefined) return {};
  const { use_causal_mask: useCausalMask = false, return_attention_scores: returnAttentionScores = false } =
    call.options;
  return {
    roles: call.roles,
    useCausalMask: useCausalMask === true,
    returnAttentionScores: returnAttentionScores === true,
  };
}

function attention({ args, config, call }: Request, scoreMode: "dot" | "concat" | "add"): Layer {
  const useScale = config["use_scale"] === true;
  const dropout = numberOf(config["dropout"], 0);
  return new Attention({ ...base(args), ...attentionCall(call), useScale, scoreMode, dropout } as never);
}

function groupedQueries({ args, config, call, refuse }: Request): Layer {
  if (config["use_gate"] === true || config["sliding_window"] != null)
    return refuse("a gate or a sliding window is not known");
  return new MultiHeadAttention({
    ...args,
    ...attentionCall(call),
    numHeads: config["num_query_heads"],
    keyHeads: config["num_key_value_heads"],
    keyDim: config["head_dim"],
  } as never);
}

function locallyConnected(
  Class: typeof LocallyConnected1D | typeof LocallyConnected2D,
  { args, config }: Request,
): Layer {
  const dataFormat = config["data_format"] === "channels_first" ? "channelsFirst" : "channelsLast";
  return new Class({ ...args, dataFormat } as never);
}

/** Keras' RNN of one cell is the layer of that cell; one of stacked cells is the layers of these cells in turn. */
function ofCell({ args, config, make, refuse }: Request): Layer {
  const cell = config["cell"];
  const [className, own] = isObject(cell) ? [String(cell["class_name"]), cell["config"]] : ["", {}];
  const stated = (value: unknown): JsonObject => (isObject(value) ? value : {});
  const isStack = className === "StackedRNNCells" && isObject(own) && Array.isArray(own["cells"]);
  const cells = isStack ? ((own as JsonObject)["cells"] as unknown[]).map(stated) : [stated(cell)];
  const other = cells.find((each) => !/^(LSTM|GRU|SimpleRNN)Cell$/.test(String(each["class_name"])));
  if (other !== undefined || cells.length === 0)
    return refuse(
      `only an RNN of LSTMCell, GRUCell or SimpleRNNCell is known, not of ${String(other?.["class_name"])}`,
    );
  if (isStack && (config["return_state"] === true || config["stateful"] === true))
    return refuse("an RNN of stacked cells that returns or keeps its states is not known");
  const names = ["return_sequences", "return_state", "go_backwards", "stateful"];
  const outer = Object.fromEntries(names.map((name) => [name, config[name] ?? false]));
  const trainable = args["trainable"] === false ? { trainable: false } : {};
  const made = cells.map((each, index) => {
    const isLast = index === cells.length - 1;
    const steps = {
      ...outer,
      return_sequences: !isLast || outer["return_sequences"] === true,
      go_backwards: index === 0 && outer["go_backwards"] === true,
    };
    const name = isStack ? `${String(args["name"])}.${index}` : String(args["name"]);
    const kind = String(each["class_name"]).slice(0, -"Cell".length);
    return make(kind, { ...stated(each["config"]), ...steps, ...trainable, name });
  });
  return isStack ? new RecurrentStack({ ...base(args), layers: made }) : made[0]!;
}

/** A layer inside Bidirectional, which sets `zero_output_for_mask` of it and gives zeros for masked steps itself. */
function zeroing(layer: unknown): unknown {
  if (!isObject(layer) || !isObject(layer["config"])) return layer;
  const { zero_output_for_mask: _set, ...config } = layer["config"];
  return { ...layer, config };
}

/** Makes the layer inside a wrapper layer. */
function inner(value: unknown, make: Request["make"], refuse: Request["refuse"]): Layer {
  if (!isObject(value) || typeof value["class_name"] !== "string" || !isObject(value["config"]))
    return refuse("expected a layer with class_name and config within it");
  return make(value["class_name"], value["config"]);
}
