import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../named-tensor.ts";
import type { TorchWeight } from "../torch/torch-weights.ts";
import { clip, writeActivation } from "./onnx-activations.ts";
import type { OnnxGraph, Value } from "./onnx-graph.ts";

/** What a layer's writer gets. */
export interface Writing {
  readonly graph: OnnxGraph;
  readonly layer: tfl.layers.Layer;
  /** The layer's configuration as tfjs has it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Value[];
  readonly output: readonly (number | null)[];
  /** A weight by tfjs' name of it, with PyTorch's order of axes or tfjs' own; undefined where the layer has none. */
  weight(name: string, order: "torch" | "own"): NamedTensor | undefined;
  refuse(problem: string): never;
}

export type FindWeight = (name: string) => TorchWeight | undefined;

type Write = (writing: Writing) => string;
type Pair = readonly [number, number];

const same: Write = ({ inputs }) => inputs[0]!.name;

/** One writer a class; a map comes in channels first and goes out channels first. */
export const layerWriters: Readonly<Record<string, Write>> = {
  ActivityRegularization: same,
  AlphaDropout: same,
  Dropout: same,
  GaussianDropout: same,
  GaussianNoise: same,
  Identity: same,
  RandomAugmentation: same,
  SpatialDropout2D: same,

  Conv2D: (writing) =>
    withActivation(writing, convolve(writing, "kernel", Number(writing.config["groups"] ?? 1), "bias")),
  DepthwiseConv2D: (writing) =>
    withActivation(writing, convolve(writing, "depthwise_kernel", channelsOf(writing.inputs[0]!), "bias")),
  SeparableConv2D: (writing) => {
    const { graph, layer } = writing;
    const depthwise = convolve(writing, "depthwise_kernel", channelsOf(writing.inputs[0]!), undefined);
    const weights = [
      graph.weight(writing.weight("pointwise_kernel", "torch")!),
      ...optional(graph, writing.weight("bias", "own")),
    ];
    return withActivation(writing, graph.node(layer.name, "Conv", [depthwise, ...weights], { kernel_shape: [1, 1] }));
  },
  Conv2DTranspose: (writing) => {
    const { graph, layer, config, inputs } = writing;
    const [kernel, strides] = [pairOf(config["kernelSize"]), pairOf(config["strides"])];
    const over = kernel.map((size, axis) => Math.max(0, size - strides[axis]!));
    const isSame = config["padding"] === "same";
    const pads = isSame
      ? [...over.map((size) => Math.floor(size / 2)), ...over.map((size) => Math.ceil(size / 2))]
      : [0, 0, 0, 0];
    const short = kernel.map((size, axis) => Math.max(0, strides[axis]! - size));
    const weights = [
      graph.weight(writing.weight("kernel", "torch")!),
      ...optional(graph, writing.weight("bias", "own")),
    ];
    const y = graph.node(layer.name, "ConvTranspose", [inputs[0]!.name, ...weights], {
      kernel_shape: kernel,
      strides,
      pads,
      output_padding: short,
    });
    return withActivation(writing, y);
  },
  Dense: (writing) => {
    const { graph, layer, inputs } = writing;
    const [x, rank] = [inputs[0]!, inputs[0]!.shape.length];
    const kernel = graph.weight(writing.weight("kernel", "own")!);
    const bias = optional(graph, writing.weight("bias", "own"));
    if (rank === 2) return withActivation(writing, graph.node(layer.name, "Gemm", [x.name, kernel, ...bias]));
    const product = graph.node(layer.name, "MatMul", [toTfjsOrder(graph, layer.name, x), kernel]);
    const y = bias.length === 0 ? product : graph.node(layer.name, "Add", [product, ...bias]);
    return withActivation(writing, toOnnxOrder(graph, layer.name, y, rank));
  },

  BatchNormalization: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const rank = inputs[0]!.shape.length;
    if (config["axis"] !== -1 && config["axis"] !== rank - 1)
      return refuse(`batch normalisation along axis ${String(config["axis"])} is not written`);
    const size = channelsOf(inputs[0]!);
    const get = (name: string, otherwise: number): string => {
      const weight = writing.weight(name, "own");
      return weight === undefined
        ? graph.floats(layer.name, new Float32Array(size).fill(otherwise), [size])
        : graph.weight(weight);
    };
    const weights = [get("gamma", 1), get("beta", 0), get("moving_mean", 0), get("moving_variance", 1)];
    return graph.node(layer.name, "BatchNormalization", [inputs[0]!.name, ...weights], {
      epsilon: { float: Number(config["epsilon"]) },
    });
  },
  LayerNormalization: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const rank = inputs[0]!.shape.length;
    const axis = [config["axis"]].flat(2);
    if (axis.length !== 1 || (axis[0] !== -1 && axis[0] !== rank - 1))
      return refuse("layer normalisation is written along the channels only");
    const x = toTfjsOrder(graph, layer.name, inputs[0]!);
    const gamma = writing.weight("gamma", "own");
    const scale =
      gamma === undefined
        ? graph.floats(layer.name, new Float32Array(channelsOf(inputs[0]!)).fill(1), [channelsOf(inputs[0]!)])
        : graph.weight(gamma);
    const weights = [scale, ...optional(graph, writing.weight("beta", "own"))];
    const y = graph.node(layer.name, "LayerNormalization", [x, ...weights], {
      axis: -1,
      epsilon: { float: Number(config["epsilon"]) },
    });
    return toOnnxOrder(graph, layer.name, y, rank);
  },
  GroupNormalization: (writing) => {
    const { graph, layer, config, inputs } = writing;
    const [x, groups] = [inputs[0]!, Number(config["groups"])];
    const parts = graph.node(layer.name, "Reshape", [x.name, graph.ints([0, groups, -1])]);
    const ones = graph.floats(layer.name, new Float32Array(groups).fill(1), [groups]);
    const zeros = graph.floats(layer.name, new Float32Array(groups), [groups]);
    const normal = graph.node(layer.name, "InstanceNormalization", [parts, ones, zeros], {
      epsilon: { float: Number(config["epsilon"]) },
    });
    let y = graph.node(layer.name, "Reshape", [normal, graph.node(layer.name, "Shape", [x.name])]);
    for (const [name, op] of [
      ["gamma", "Mul"],
      ["beta", "Add"],
    ] as const) {
      const weight = writing.weight(name, "own");
      if (weight !== undefined) y = graph.node(layer.name, op, [y, graph.weight(perChannel(weight, x))]);
    }
    return y;
  },
  Normalization: (writing) => {
    const { graph, layer, inputs } = writing;
    const [mean, variance] = [writing.weight("mean", "own")!, writing.weight("variance", "own")!];
    const deviation = {
      ...variance,
      name: `${layer.name}/deviation`,
      read: () => Float32Array.from(variance.read(), (value) => Math.max(Math.sqrt(value), 1e-7)),
    };
    const centred = graph.node(layer.name, "Sub", [inputs[0]!.name, graph.weight(perChannel(mean, inputs[0]!))]);
    return graph.node(layer.name, "Div", [centred, graph.weight(perChannel(deviation, inputs[0]!))]);
  },
  LocalResponseNormalization: ({ graph, layer, config, inputs }) => {
    const size = 2 * Number(config["radius"]) + 1;
    // ONNX divides alpha by the window's length.
    const alpha = Number(config["alpha"]) * size;
    return graph.node(layer.name, "LRN", [inputs[0]!.name], {
      size,
      alpha: { float: alpha },
      beta: { float: Number(config["beta"]) },
      bias: { float: Number(config["bias"]) },
    });
  },

  Activation: (writing) => withActivation(writing, writing.inputs[0]!.name),
  ReLU: ({ graph, layer, config, inputs }) =>
    config["maxValue"] == null
      ? graph.node(layer.name, "Relu", [inputs[0]!.name])
      : clip(graph, layer.name, inputs[0]!.name, 0, Number(config["maxValue"])),
  LeakyReLU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "LeakyRelu", [inputs[0]!.name], { alpha: { float: Number(config["alpha"]) } }),
  ELU: ({ graph, layer, inputs }) => graph.node(layer.name, "Elu", [inputs[0]!.name]),
  ScaledELU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Elu", [inputs[0]!.name], { alpha: { float: Number(config["alpha"]) } }),
  ThresholdedReLU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "ThresholdedRelu", [inputs[0]!.name], { alpha: { float: Number(config["theta"]) } }),
  PReLU: (writing) => {
    const { graph, layer, inputs, refuse } = writing;
    const alpha = writing.weight("alpha", "own")!;
    if (alpha.shape.slice(0, -1).some((size) => size !== 1))
      return refuse("a PReLU with a slope for every pixel is not written, only for every channel");
    return graph.node(layer.name, "PRelu", [inputs[0]!.name, graph.weight(perChannel(alpha, inputs[0]!))]);
  },
  Softmax: ({ graph, layer, config, inputs, refuse }) => {
    const rank = inputs[0]!.shape.length;
    if (config["axis"] !== -1 && config["axis"] !== rank - 1)
      return refuse("softmax is written over the channels only");
    return graph.node(layer.name, "Softmax", [inputs[0]!.name], { axis: rank === 4 ? 1 : -1 });
  },

  MaxPooling2D: (writing) => pool(writing, "MaxPool"),
  AveragePooling2D: (writing) => pool(writing, "AveragePool"),
  PaddedPooling2D: ({ graph, layer, config, inputs }) => {
    const padding = config["padding"] as readonly [Pair, Pair];
    const isMax = config["mode"] === "max";
    return graph.node(layer.name, isMax ? "MaxPool" : "AveragePool", [inputs[0]!.name], {
      kernel_shape: pairOf(config["poolSize"]),
      strides: pairOf(config["strides"]),
      pads: [padding[0][0], padding[1][0], padding[0][1], padding[1][1]],
      ceil_mode: config["ceilMode"] === true ? 1 : 0,
      count_include_pad: isMax ? undefined : Number(config["countIncludePad"] === true),
    });
  },
  GlobalAveragePooling2D: (writing) => globalPool(writing, "GlobalAveragePool", writing.config["keepdims"] === true),
  GlobalMaxPooling2D: (writing) => globalPool(writing, "GlobalMaxPool", false),
  GlobalMaxPooling2DKeepdims: (writing) => globalPool(writing, "GlobalMaxPool", true),
  AdaptiveAveragePooling2D: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const [rows, columns] = pairOf(config["outputSize"]);
    if (rows === 1 && columns === 1) return graph.node(layer.name, "GlobalAveragePool", [inputs[0]!.name]);
    const [, height, width] = inputs[0]!.shape;
    if (height == null || width == null) return refuse("adaptive pooling needs an input of known size");
    if (height === rows && width === columns) return inputs[0]!.name;
    // Means along one axis after the other are products with a matrix.
    const right = graph.node(layer.name, "MatMul", [
      inputs[0]!.name,
      graph.floats(layer.name, means(width, columns, true), [width, columns]),
    ]);
    return graph.node(layer.name, "MatMul", [
      graph.floats(layer.name, means(height, rows, false), [rows, height]),
      right,
    ]);
  },

  ZeroPadding2D: ({ graph, layer, config, inputs }) => {
    const [[top, bottom], [left, right]] = config["padding"] as [Pair, Pair];
    return graph.node(layer.name, "Pad", [inputs[0]!.name, graph.ints([0, 0, top, left, 0, 0, bottom, right])]);
  },
  PadChannels: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Pad", [
      inputs[0]!.name,
      graph.ints([0, Number(config["before"]), 0, 0, 0, Number(config["after"]), 0, 0]),
    ]),
  Cropping2D: ({ graph, layer, config, inputs }) => {
    const [[top, bottom], [left, right]] = config["cropping"] as [Pair, Pair];
    const ends = [bottom, right].map((size) => (size === 0 ? 2 ** 31 : -size));
    return graph.node(layer.name, "Slice", [
      inputs[0]!.name,
      graph.ints([top, left]),
      graph.ints(ends),
      graph.ints([2, 3]),
    ]);
  },
  CroppedCentre: ({ graph, layer, config, inputs, refuse }) => {
    const [, height, width] = inputs[0]!.shape;
    if (height == null || width == null) return refuse("a crop at the centre needs an input of known size");
    const [top, left] = [
      Math.floor((height - Number(config["height"])) / 2),
      Math.floor((width - Number(config["width"])) / 2),
    ];
    const ends = [top + Number(config["height"]), left + Number(config["width"])];
    return graph.node(layer.name, "Slice", [
      inputs[0]!.name,
      graph.ints([top, left]),
      graph.ints(ends),
      graph.ints([2, 3]),
    ]);
  },
  UpSampling2D: (writing) => {
    if (writing.config["interpolation"] === "bilinear")
      return writing.refuse("tfjs' bilinear upsampling takes pixels as points, which is not written");
    return resize(writing, "nearest");
  },
  ScaledUp2D: (writing) => resize(writing, writing.config["interpolation"] === "nearest" ? "nearest" : "linear"),
  ResizedTo: (writing) => resize(writing, writing.config["interpolation"] === "nearest" ? "nearest" : "linear"),

  Rescaling: ({ graph, layer, config, inputs }) => {
    let y = inputs[0]!.name;
    for (const [key, op, neutral] of [
      ["scale", "Mul", 1],
      ["offset", "Add", 0],
    ] as const) {
      const values = [config[key] as number | number[]].flat();
      if (values.every((value) => value === neutral)) continue;
      const shape = values.length === 1 ? [] : inputs[0]!.shape.length === 4 ? [values.length, 1, 1] : [values.length];
      y = graph.node(layer.name, op, [y, graph.floats(layer.name, values, shape)]);
    }
    return y;
  },
  CustomScaleLayer: ({ graph, layer, config, inputs }) => {
    const scaled = graph.node(layer.name, "Mul", [
      inputs[1]!.name,
      graph.floats(layer.name, [Number(config["scale"])], []),
    ]);
    return graph.node(layer.name, "Add", [inputs[0]!.name, scaled]);
  },
  Power: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Pow", [inputs[0]!.name, graph.floats(layer.name, [Number(config["exponent"])], [])]),
  Add: (writing) => fold(writing, "Add"),
  Multiply: (writing) => fold(writing, "Mul"),
  Subtract: (writing) => fold(writing, "Sub"),
  Average: (writing) => variadic(writing, "Mean"),
  Maximum: (writing) => variadic(writing, "Max"),
  Minimum: (writing) => variadic(writing, "Min"),
  Concatenate: ({ graph, layer, config, inputs }) => {
    const rank = inputs[0]!.shape.length;
    const axis = Number(config["axis"] ?? -1);
    const own = axis < 0 ? rank + axis : axis;
    // [n, h, w, c] -> [n, c, h, w]
    return graph.node(
      layer.name,
      "Concat",
      inputs.map(({ name }) => name),
      { axis: rank === 4 ? [0, 2, 3, 1][own]! : own },
    );
  },

  Flatten: ({ graph, layer, inputs }) =>
    graph.node(layer.name, "Flatten", [toTfjsOrder(graph, layer.name, inputs[0]!)], { axis: 1 }),
  Reshape: ({ graph, layer, config, inputs, output }) => {
    const shape = graph.ints([0, ...(config["targetShape"] as readonly (number | null)[]).map((size) => size ?? -1)]);
    const y = graph.node(layer.name, "Reshape", [toTfjsOrder(graph, layer.name, inputs[0]!), shape]);
    return toOnnxOrder(graph, layer.name, y, output.length);
  },
  Permute: ({ graph, layer, config, inputs, output }) => {
    const perm = [0, ...(config["dims"] as readonly number[])];
    const y = graph.node(layer.name, "Transpose", [toTfjsOrder(graph, layer.name, inputs[0]!)], { perm });
    return toOnnxOrder(graph, layer.name, y, output.length);
  },
};

/** A map as tfjs has it, `[n, h, w, c]`. */
export function toTfjsOrder(graph: OnnxGraph, prefix: string, { name, shape }: Value): string {
  return shape.length === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 2, 3, 1] }) : name;
}

/** A map as ONNX has it, `[n, c, h, w]`. */
export function toOnnxOrder(graph: OnnxGraph, prefix: string, name: string, rank: number): string {
  return rank === 4 ? graph.node(prefix, "Transpose", [name], { perm: [0, 3, 1, 2] }) : name;
}

function convolve(writing: Writing, kernelName: string, group: number, biasName: string | undefined): string {
  const { graph, layer, config, inputs } = writing;
  const kernel = writing.weight(kernelName, "torch")!;
  const bias = biasName === undefined ? undefined : writing.weight(biasName, "own");
  const size = kernel.shape.slice(2);
  return graph.node(layer.name, "Conv", [inputs[0]!.name, graph.weight(kernel), ...optional(graph, bias)], {
    kernel_shape: size,
    strides: pairOf(config["strides"]),
    dilations: pairOf(config["dilationRate"] ?? 1),
    group,
    ...samePadding(config, inputs[0]!, size, pairOf(config["strides"]), pairOf(config["dilationRate"] ?? 1)),
  });
}

function pool(writing: Writing, op: "MaxPool" | "AveragePool"): string {
  const { graph, layer, config, inputs } = writing;
  const [size, strides] = [pairOf(config["poolSize"]), pairOf(config["strides"])];
  return graph.node(layer.name, op, [inputs[0]!.name], {
    kernel_shape: size,
    strides,
    ...samePadding(config, inputs[0]!, size, strides, [1, 1]),
  });
}

/** TensorFlow's "same": in numbers where the size is known, since then every runtime agrees; else by ONNX's word for it. */
function samePadding(
  config: Writing["config"],
  { shape }: Value,
  size: readonly number[],
  strides: Pair,
  dilations: Pair,
): { pads?: number[]; auto_pad?: string } {
  if (config["padding"] !== "same") return { pads: [0, 0, 0, 0] };
  const [, height, width] = shape;
  if (height == null || width == null) return { auto_pad: "SAME_UPPER" };
  const totals = [height, width].map((length, axis) => {
    const reach = (size[axis]! - 1) * dilations[axis]! + 1;
    return Math.max(0, (Math.ceil(length / strides[axis]!) - 1) * strides[axis]! + reach - length);
  });
  return { pads: [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))] };
}

function globalPool({ graph, layer, inputs }: Writing, op: string, keep: boolean): string {
  const y = graph.node(layer.name, op, [inputs[0]!.name]);
  return keep ? y : graph.node(layer.name, "Flatten", [y], { axis: 1 });
}

function resize({ graph, layer, inputs, output, refuse }: Writing, mode: "nearest" | "linear"): string {
  const [, height, width] = output;
  if (height == null || width == null) return refuse("resizing needs sizes that are known");
  const shape = graph.node(layer.name, "Shape", [inputs[0]!.name]);
  const kept = graph.node(layer.name, "Slice", [shape, graph.ints([0]), graph.ints([2])]);
  const sizes = graph.node(layer.name, "Concat", [kept, graph.ints([height, width])], { axis: 0 });
  // tfjs' nearest neighbour of whole factors is the same under every rule.
  return graph.node(layer.name, "Resize", [inputs[0]!.name, "", "", sizes], {
    mode,
    coordinate_transformation_mode: "half_pixel",
    nearest_mode: mode === "nearest" ? "round_prefer_ceil" : undefined,
  });
}

/** The matrix whose product takes means: part `i` of `parts` is the mean of pixels floor(i n / parts) to ceil((i + 1) n / parts). */
function means(length: number, parts: number, columns: boolean): Float32Array {
  const matrix = new Float32Array(length * parts);
  for (let part = 0; part < parts; part++) {
    const [start, end] = [Math.floor((part * length) / parts), Math.ceil(((part + 1) * length) / parts)];
    for (let i = start; i < end; i++) matrix[columns ? i * parts + part : part * length + i] = 1 / (end - start);
  }
  return matrix;
}

function fold({ graph, layer, inputs }: Writing, op: string): string {
  return inputs.map(({ name }) => name).reduce((sum, name) => graph.node(layer.name, op, [sum, name]));
}

function variadic({ graph, layer, inputs }: Writing, op: string): string {
  return graph.node(
    layer.name,
    op,
    inputs.map(({ name }) => name),
  );
}

function withActivation({ graph, layer, config, output, refuse }: Writing, x: string): string {
  const name = typeof config["activation"] === "string" ? config["activation"] : "linear";
  return writeActivation(graph, layer.name, name, x, output.length) ?? refuse(`the activation ${name} is not written`);
}

function optional(graph: OnnxGraph, tensor: NamedTensor | undefined): string[] {
  return tensor === undefined ? [] : [graph.weight(tensor)];
}

/** A vector over the channels in the shape that stretches over a map. */
function perChannel(tensor: NamedTensor, { shape }: Value): NamedTensor {
  const size = tensor.shape.reduce((product, side) => product * side, 1);
  return { ...tensor, shape: shape.length === 4 ? [size, 1, 1] : [size] };
}

function channelsOf({ shape }: Value): number {
  return shape.at(-1) as number;
}

function pairOf(value: unknown): Pair {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1] ?? value[0])] : [Number(value), Number(value)];
}
