import type { JsonObject } from "../../../bytes/json.ts";
import type { Floats, HeldLayer, Source, StockRow, StockWeight } from "./stock-row.ts";
import { cropped, padded, reshaped, row } from "./stock-row.ts";

const withoutKey = (config: JsonObject, ...keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));

const present = (...weights: readonly (StockWeight | undefined)[]): StockWeight[] =>
  weights.filter((weight) => weight !== undefined);

/** One filter for each channel if every group has one channel, else a kernel with zeros between the groups. */
export function groupedConvolution({ fileConfig, inputs: [shape], weight }: HeldLayer): Source | string {
  const kernel = weight("kernel")!;
  const [height, width, own, filters] = kernel.shape as [number, number, number, number];
  const channels = shape!.at(-1)!;
  const config = withoutKey(fileConfig, "name", "groups");
  const groups = channels / own;
  const isUndilated = [fileConfig["dilation_rate"]].flat().every((rate) => rate === 1);
  if (own === 1 && isUndilated && sameSteps(fileConfig["strides"])) {
    const { filters: _, kernel_initializer, kernel_regularizer, kernel_constraint, ...rest } = config;
    const depthwise = {
      ...rest,
      depth_multiplier: filters / groups,
      depthwise_initializer: kernel_initializer ?? null,
      depthwise_regularizer: kernel_regularizer ?? null,
      depthwise_constraint: kernel_constraint ?? null,
    };
    // The filters of a channel follow one another in both kernels.
    const same = { name: "depthwise_kernel", shape: [height, width, channels, filters / groups], read: kernel.read };
    return row("DepthwiseConv2D", depthwise, [0], present(same, weight("bias")));
  }
  const read = (): Floats => withZeros(kernel.read() as Floats, height * width, own, filters, groups);
  const whole: StockWeight = { name: "kernel", shape: [height, width, channels, filters], read };
  return row("Conv2D", config, [0], present(whole, weight("bias")));
}

/** The native kernel of depthwise convolutions takes one stride for both axes. */
function sameSteps(strides: unknown): boolean {
  const [down, right] = [strides].flat() as [number, number?];
  return right === undefined || down === right;
}

/** `[taps, own, filters] -> [taps, own * groups, filters]`: a filter's weights of other groups' channels are 0. */
function withZeros(kernel: Floats, taps: number, own: number, filters: number, groups: number): Floats {
  const whole = new Float32Array(taps * own * groups * filters);
  const perGroup = filters / groups;
  for (let tap = 0; tap < taps; tap++)
    for (let channel = 0; channel < own; channel++)
      for (let filter = 0; filter < filters; filter++) {
        const group = Math.floor(filter / perGroup);
        whole[(tap * own * groups + group * own + channel) * filters + filter] =
          kernel[(tap * own + channel) * filters + filter]!;
      }
  return whole;
}

/** A kernel whose taps stand apart, with zeros between them. */
export function dilatedDepthwise({ config, fileConfig, weight }: HeldLayer): Source {
  const whole = apart(weight("depthwise_kernel")!, [config["dilationRate"]].flat() as number[]);
  const wide = { ...withoutKey(fileConfig, "name"), kernel_size: whole.shape.slice(0, 2), dilation_rate: [1, 1] };
  return row("DepthwiseConv2D", wide, [0], present(whole, weight("bias")));
}

/** A kernel `[height, width, …]` with zeros between its taps. */
function apart(kernel: StockWeight, [down = 1, right = 1]: readonly number[]): StockWeight {
  const [height, width, ...rest] = kernel.shape as [number, number, ...number[]];
  const sizes = [(height - 1) * down + 1, (width - 1) * right + 1] as const;
  const length = rest.reduce((product, size) => product * size, 1);
  const read = (): Floats => {
    const [values, all] = [kernel.read(), new Float32Array(sizes[0] * sizes[1] * length)];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let i = 0; i < length; i++)
          all[(y * down * sizes[1] + x * right) * length + i] = values[(y * width + x) * length + i]!;
    return all;
  };
  return { name: kernel.name, shape: [...sizes, ...rest], read };
}

/** What of each sequence layer becomes what of the layer over maps of width 1. */
const overMaps = {
  GroupedConv1D: { className: "Conv2D", kernels: [["kernel", "kernel"]] },
  DepthwiseConv1D: { className: "DepthwiseConv2D", kernels: [["depthwise_kernel", "depthwise_kernel"]] },
  SeparableConv1D: {
    className: "SeparableConv2D",
    kernels: [
      ["depthwise_kernel", "depthwise_kernel"],
      ["pointwise_kernel", "pointwise_kernel"],
    ],
  },
} as const;

/** A layer over sequences as one over maps of width 1: `[n, length, c] -> [n, length, 1, c] -> [n, length', 1, filters]`. */
export function overSequence(held: HeldLayer): Source | string {
  const {
    layer,
    config,
    fileConfig,
    inputs: [shape],
    output,
    weight,
  } = held;
  const [, length, channels] = shape!;
  if (length == null || output[1] == null) return "the length of its input is not known";
  const { className, kernels } = overMaps[layer.getClassName() as keyof typeof overMaps];
  const size = first(config["kernelSize"]);
  const [stride, rate] = [first(config["strides"] ?? 1), first(config["dilationRate"] ?? 1)];
  const causal = config["padding"] === "causal";
  const maps: Source = padded(reshaped(0, [length, 1, channels!]), [
    [causal ? (size - 1) * rate : 0, 0],
    [0, 0],
  ]);
  const map = {
    ...withoutKey(fileConfig, "name"),
    kernel_size: [size, 1],
    // Stock depthwise layers take one stride for both axes; with a width of 1 it is the same.
    strides: [stride, stride],
    dilation_rate: [rate, 1],
    padding: causal ? "valid" : (config["padding"] ?? "valid"),
    data_format: "channels_last",
  };
  const weights = kernels.map(([from, to]): StockWeight => {
    const { shape: sizes, read } = weight(from)!;
    return { name: to, shape: [sizes[0]!, 1, ...sizes.slice(1)], read };
  });
  const inner: HeldLayer = {
    ...held,
    fileConfig: map as JsonObject,
    config: { ...config, dilationRate: [rate, 1] },
    inputs: [[null, length, 1, channels!]],
    weight: (name) => weights.find((each) => each.name === name) ?? (name === "bias" ? weight("bias") : undefined),
  };
  const made = convolutionOf(className, inner, Number(config["groups"] ?? 1), rate);
  if (typeof made !== "object") return made;
  return reshaped({ ...made, inputs: [maps] }, [output[1], output[2]!]);
}

function convolutionOf(className: string, inner: HeldLayer, groups: number, rate: number): StockRow | string {
  if (className === "Conv2D" && groups > 1) return groupedConvolution(inner) as StockRow;
  if (className === "DepthwiseConv2D" && rate > 1) return dilatedDepthwise(inner) as StockRow;
  if (className === "SeparableConv2D" && rate > 1) return "it is dilated";
  const names = ["kernel", "depthwise_kernel", "pointwise_kernel", "bias"];
  const { groups: _, ...config } = inner.fileConfig;
  return row(className, config, [0], present(...names.map(inner.weight)));
}

const first = (value: unknown): number => Number([value].flat()[0]);

/** A transposed convolution without padding, cut or padded with zeros to the sizes that the layer states. */
export function sizedTranspose({ config, fileConfig, inputs: [shape], weight }: HeldLayer): Source | string {
  const pair = (value: unknown): [number, number] => {
    const [a, b] = [value ?? 1].flat() as number[];
    return [a!, b ?? a!];
  };
  const kernelApart = apart(weight("kernel")!, pair(config["dilationRate"]));
  if (config["useBias"] === true && config["padding"] !== "same") {
    // Rows that only the output padding adds have the bias alone.
    const grown = config["outputPadding"] != null && pair(config["outputPadding"]).some((size) => size > 0);
    if (grown) return "its output padding adds rows that only the bias reaches";
  }
  if (config["activation"] !== "linear" && config["padding"] !== "same") return "its output padding has an activation";
  const sizes = [shape![1], shape![2]];
  if (sizes.includes(null)) return "the size of its input is not known";
  const [kernel, strides] = [kernelApart.shape as [number, number], pair(config["strides"])];
  const given = config["outputPadding"] == null ? undefined : pair(config["outputPadding"]);
  const isSame = config["padding"] === "same";
  const sides = ([0, 1] as const).map((axis) => {
    const [size, stride] = [kernel[axis], strides[axis]];
    const whole = sizes[axis]! * stride + Math.max(size - stride, 0);
    const wanted =
      given === undefined
        ? sizes[axis]! * stride + (isSame ? 0 : Math.max(size - stride, 0))
        : (sizes[axis]! - 1) * stride + size - (isSame ? 2 * Math.floor(size / 2) : 0) + given[axis];
    // TensorFlow pads the input's gradient as it pads the convolution from the wanted size.
    const before = isSame ? Math.floor(Math.max((sizes[axis]! - 1) * stride + size - wanted, 0) / 2) : 0;
    return [before, whole - wanted - before] as const;
  });
  if (sides.some(([, after]) => after < 0)) return "its output padding adds rows that no filter reaches";
  const plain = { ...withoutKey(fileConfig, "name", "output_padding", "dilation_rate"), padding: "valid" };
  const wide = { ...plain, kernel_size: kernel.slice(0, 2) };
  const made = row("Conv2DTranspose", wide, [0], present(kernelApart, weight("bias")));
  return cropped(made, [sides[0]!, sides[1]!]);
}
