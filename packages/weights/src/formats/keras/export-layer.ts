import { AugmentationLayer, KerasOnlyAugmentation, RandomCrop } from "@convkit/augment";
import { shuffledPlaces } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { activationNames, approximateGelu, keras3HardSigmoid } from "../../layers/activations.ts";
import { LocallyConnected2D } from "../../layers/locally-connected.ts";
import { isKnownLayer } from "../../layers/register.ts";
import { TrainingCrop } from "../../layers/resize.ts";
import type { AxisSlice } from "../../layers/slicing.ts";
import { memoryTensor } from "../../bytes/named-tensor.ts";
import { kerasClassName } from "./class-name.ts";
import { whyUnwritten } from "./unwritten-layers.ts";
import type { Config, Export, ExportContext, KerasPart } from "./keras-part.ts";
import { compositeLayers } from "./export-composites.ts";
import { sameKeys } from "./same-keys.ts";
import { exportOperation } from "./export-operation.ts";
import { Operation } from "../../operations/operation.ts";

const special: Readonly<Record<string, Export>> = {
  // Keras has no DropBlock, which does nothing in prediction.
  DropBlock2D: () => [{ className: "Identity", config: {} }],
  ReLU: ({ max_value: largest }) => [{ className: "ReLU", config: { max_value: largest ?? null } }],
  BentReLU: ({ max_value, negative_slope, threshold }) => [
    { className: "ReLU", config: { max_value, negative_slope, threshold } },
  ],
  LeakyReLU: ({ alpha }) => [{ className: "LeakyReLU", config: { negative_slope: alpha } }],
  Activation: ({ activation }) =>
    activation === approximateGelu
      ? [
          {
            className: "Gelu",
            config: {},
            operation: { module: "keras.src.ops.nn", numbers: [], config: { approximate: true } },
          },
        ]
      : [{ className: "Activation", config: { activation } }],
  // tfjs keeps a size that it is to find as null.
  Reshape: ({ target_shape: sizes }) => [
    { className: "Reshape", config: { target_shape: (sizes as (number | null)[]).map((size) => size ?? -1) } },
  ],
  Clipped: ({ low, high }) => {
    const module = "keras.src.ops.numpy";
    if (high == null) return [{ className: "Maximum", config: {}, operation: { module, numbers: [low] } }];
    if (low == null) return [{ className: "Minimum", config: {}, operation: { module, numbers: [high] } }];
    return [{ className: "Clip", config: {}, operation: { module, numbers: [], config: { x_min: low, x_max: high } } }];
  },
  Sliced: ({ pieces }) => {
    const key = (pieces as readonly AxisSlice[]).map((piece) =>
      typeof piece === "number" ? piece : { class_name: "__slice__", config: piece },
    );
    return [{ className: "GetItem", config: {}, operation: { module: "keras.src.ops.numpy", numbers: [key] } }];
  },
  Stacked: ({ axis }) => [
    { className: "Stack", config: {}, operation: { module: "keras.src.ops.numpy", numbers: [], config: { axis } } },
  ],
  // Without axes there is one mean for all values. Consecutive axes match Keras' own form.
  AxesNormalization: ({ axis, invert }) => [
    { className: "Normalization", config: { axis: (axis as number[]).length === 0 ? null : axis, invert } },
  ],
  Normalization: () => [{ className: "Normalization", config: { axis: -1 } }],
  GlobalMaxPooling2DKeepdims: () => [{ className: "GlobalMaxPooling2D", config: { keepdims: true } }],
  PaddedPooling2D: paddedPooling,
  CustomScaleLayer: ({ scale }) => [
    { className: "Rescaling", config: { scale, offset: 0 }, takes: [1] },
    { className: "Add", config: {}, takes: [0, 2] },
  ],
  LocalResponseNormalization: responseNorm,
  ...compositeLayers,
  Power: ({ exponent }) => [
    { className: "Power", config: {}, operation: { module: "keras.src.ops.numpy", numbers: [Number(exponent)] } },
  ],
  // Keras crops only rows and columns, so swap the channels with them around the crop.
  SliceChannels: ({ start, count }, { inputShape }) => {
    const [from, size] = [Number(start), Number(count)];
    return [
      { className: "Permute", config: { dims: [1, 3, 2] } },
      {
        className: "Cropping2D",
        config: {
          cropping: [
            [0, 0],
            [from, inputShape.at(-1)! - from - size],
          ],
        },
      },
      { className: "Permute", config: { dims: [1, 3, 2] } },
    ];
  },
  ShuffleChannels: ({ groups }, { inputShape }) => {
    const [, height, width, channels] = inputShape;
    const [parts, each] = [Number(groups), channels! / Number(groups)];
    // Reshape finds one size only, so that maps of unknown size are taken apart by places.
    if (height == null || width == null)
      return [
        {
          className: "Take",
          config: {},
          operation: {
            module: "keras.src.ops.numpy",
            numbers: [shuffledPlaces(channels!, parts)],
            config: { axis: -1 },
          },
        },
      ];
    return [
      { className: "Reshape", config: { target_shape: [height * width, parts, each] } },
      { className: "Permute", config: { dims: [1, 3, 2] } },
      { className: "Reshape", config: { target_shape: [height, width, channels] } },
    ];
  },
  // Keras pads only rows and columns, so swap the channels with them around the padding.
  PadChannels: ({ before, after }) => [
    { className: "Permute", config: { dims: [1, 3, 2] } },
    {
      className: "ZeroPadding2D",
      config: {
        padding: [
          [0, 0],
          [before, after],
        ],
      },
    },
    { className: "Permute", config: { dims: [1, 3, 2] } },
  ],
  AdaptiveAveragePooling2D: ({ output_size: size }, { inputShape }) => {
    const [rows, columns] = size as [number, number];
    if (rows === 1 && columns === 1) return [{ className: "GlobalAveragePooling2D", config: { keepdims: true } }];
    const [height, width] = [inputShape[1], inputShape[2]];
    // Keras has this layer since 3.14; before, an average pool does the same where the parts do not overlap.
    if (height == null || width == null || height % rows !== 0 || width % columns !== 0)
      return [{ className: "AdaptiveAveragePooling2D", config: { output_size: [rows, columns] } }];
    const window = [height / rows, width / columns];
    return [{ className: "AveragePooling2D", config: { pool_size: window, strides: window, padding: "valid" } }];
  },
};

/** Layers of Keras that hold their weights in layers within them. */
const cells = new Set(["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "SimpleRNN"]);

/** The sequence of Keras layers equivalent to a tfjs layer. Weights, if any, belong to the last one. */
export function exportLayer(layer: tfl.layers.Layer, context: ExportContext): KerasPart[] {
  if (layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation) {
    // Our crop resizes the middle in prediction, as Keras 2 does; Keras 3's leaves the image as it is. Both are called RandomCrop:
    // the type as plain text, which Keras 3 reads but never writes, tells ours when the file is read again.
    const isOurCrop = layer instanceof RandomCrop && !(layer instanceof TrainingCrop);
    return [{ className: layer.kerasClass, config: { ...layer.kerasConfig, ...(isOurCrop && { dtype: "float32" }) } }];
  }
  const own = layer.getClassName();
  if (!isKnownLayer(layer)) return context.refuse("is a class of yours, which Keras does not have");
  const stated = layer.getConfig() as Record<string, unknown>;
  // A locally connected layer computes channels last here; only its kernel is in the order of channels first.
  const isLocal = layer instanceof LocallyConnected2D;
  const config = pythonConfig(isLocal ? { ...stated, dataFormat: "channelsLast" } : stated, context);
  if (layer instanceof Operation) return exportOperation(layer, context);
  const isOtherThere =
    own === "Resizing" || own === "CenterCrop" || (own === "UpSampling2D" && config["interpolation"] === "bilinear");
  if (isOtherThere)
    return context.refuse(
      `is tfjs' ${own}, which takes pixels as points, and Keras' layer of that name computes other numbers; ONNX and graph models hold it`,
    );
  const make = Object.hasOwn(special, own) ? special[own] : undefined;
  if (make !== undefined) return make(config, context, layer);
  const className = kerasClassName(layer);
  const keys = Object.hasOwn(sameKeys, className) ? sameKeys[className] : undefined;
  if (keys === undefined) return context.refuse(whyUnwritten(layer));
  return [
    {
      className,
      ...(cells.has(className) ? { inside: [["cell", layer.weights.length]] } : {}),
      config: Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]]))),
    },
  ];
}

function paddedPooling(config: Config, { inputShape, neverNegative, refuse }: ExportContext): KerasPart[] {
  const {
    mode,
    pool_size: size,
    strides,
    padding,
    ceil_mode: ceil,
    count_include_pad: counts,
  } = config as {
    mode: "max" | "average";
    pool_size: [number, number];
    strides: [number, number];
    padding: [[number, number], [number, number]];
    ceil_mode: boolean;
    count_include_pad: boolean;
  };
  if (mode === "max" && !neverNegative)
    return refuse("Keras pads with zeros, which could win this maximum: its input may be negative");
  const sides = padding.map(([before, after], axis) => {
    const length = inputShape[axis + 1];
    if (!ceil) return [before, after];
    if (length == null) return refuse("sizes that are rounded up need an input of known size");
    const over = (length + before + after - size[axis]!) % strides[axis]!;
    // The last window may extend past the edge, but may not begin beyond it.
    const windows = Math.floor((length + before + after - size[axis]!) / strides[axis]!) + (over === 0 ? 0 : 1);
    const starts = windows * strides[axis]!;
    return [before, over === 0 || starts >= length + before ? after : after + strides[axis]! - over];
  });
  const isPadded = sides.flat().some((side) => side > 0);
  if (mode === "average" && isPadded && (ceil || !counts)) return refuse("Keras counts padding in every mean");
  const pooled = {
    className: mode === "max" ? "MaxPooling2D" : "AveragePooling2D",
    config: { pool_size: size, strides, padding: "valid" },
  };
  return isPadded ? [{ className: "ZeroPadding2D", config: { padding: sides } }, pooled] : [pooled];
}

/**
 * Local response normalization, which Keras lacks. A 1x1 convolution with a band matrix sums the squares of each
 * window.
 */
function responseNorm(config: Config, { inputShape }: ExportContext): KerasPart[] {
  const { radius, bias, alpha, beta } = config as Readonly<Record<"radius" | "bias" | "alpha" | "beta", number>>;
  const channels = inputShape[3] as number;
  const band = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs((i % channels) - Math.floor(i / channels)) <= radius ? alpha : 0,
  );
  const weights = [
    memoryTensor("kernel", [1, 1, channels, channels], band),
    memoryTensor("bias", [channels], new Float32Array(channels).fill(bias)),
  ];
  return [
    { className: "Power", config: {}, operation: { module: "keras.src.ops.numpy", numbers: [2] } },
    { className: "Conv2D", config: { filters: channels, kernel_size: [1, 1], trainable: false }, weights },
    { className: "Power", config: {}, operation: { module: "keras.src.ops.numpy", numbers: [-beta] } },
    { className: "Multiply", config: {}, takes: [0, 3] },
  ];
}

/** tfjs' configuration with Python's names. */
function pythonConfig(config: Record<string, unknown>, { refuse }: ExportContext): Config {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const name = snake(key);
      if (key === "activation" || key === "recurrentActivation") return [name, pythonActivation(String(value), refuse)];
      if (/(Initializer|Regularizer|Constraint)$/.test(key)) return [name, pythonFunction(value)];
      if (key === "dataFormat")
        return [name, value === "channelsFirst" ? refuse("channels come first") : "channels_last"];
      return [name, value ?? null];
    }),
  );
}

function pythonActivation(name: string, refuse: (problem: string) => never): string {
  if (name === keras3HardSigmoid) return "hard_sigmoid";
  if (name === approximateGelu) return name;
  if (name === "hardSigmoid") return refuse("tfjs' hardSigmoid is 0.2 x + 0.5, which Keras 3 has no name for");
  const known = Object.entries(activationNames).find(([, own]) => own === name)?.[0];
  return known ?? refuse(`Keras has no activation ${name}`);
}

function pythonFunction(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value ?? null;
  const { className, config } = value as { className: string; config: Record<string, unknown> };
  const out: Record<string, unknown> = Object.fromEntries(
    Object.entries(config).map(([key, part]) => [snake(key), part ?? null]),
  );
  if (typeof out["mode"] === "string") out["mode"] = snake(out["mode"]);
  if (className === "VarianceScaling" && out["distribution"] === "normal") out["distribution"] = "truncated_normal";
  if (out["distribution"] === "truncatedNormal") out["distribution"] = "truncated_normal";
  return { class_name: className, config: out };
}

function snake(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
