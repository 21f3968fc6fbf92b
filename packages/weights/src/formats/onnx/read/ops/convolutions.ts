import { Conv2D } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { DilatedDepthwiseConv2D, SizedConv2DTranspose } from "../../../../layers/convolutions.ts";
import type { Builder, WeightValues } from "../builder.ts";
import { constantOf, floatsOf, permuted } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import type { Signal } from "../signal.ts";
import { newAxis } from "../signal.ts";
import { computed, isKnownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { isValid, windowOf } from "../windows.ts";
import type { Window } from "../windows.ts";
import { both, mapOf, mapResult, zeroPadded } from "./maps.ts";
import type { FeatureMap } from "./maps.ts";
import type { Read } from "./read.ts";

type Pair = [number, number];

/** A convolution's constants, from a node or from the quantized tensors that stand for them. */
export interface Kernel {
  readonly weight: Constant;
  readonly bias: Constant | undefined;
}

/**
 * The kernel of a node, and the nodes after it that are part of it: a factor and a sum for each channel, as they are left
 * of batch normalization.
 */
function kernelOf(builder: Builder, node: OnnxNode): Kernel & { readonly joined: readonly OnnxNode[] } {
  let [weight, bias] = [builder.constant(node, 1), builder.optionalConstant(node, 2)];
  const isPlain = node.op === "Conv";
  const channels = isPlain ? weight.shape[0]! : weight.shape[1]! * builder.number(node, "group", 1);
  const joined: OnnxNode[] = [];
  for (let last = node; ;) {
    const user = builder.onlyUser(last.outputs[0] ?? "");
    const other =
      user === undefined ? undefined : channelConstant(builder, user, last.outputs[0]!, channels, weight.shape.length);
    if (user === undefined || other === undefined) break;
    if (user.op === "Add") bias = bias === undefined ? other : zipped(bias, other, (a, b) => a + b);
    else if (user.op === "Mul" && isPlain) {
      weight = scaled(weight, other);
      bias = bias === undefined ? undefined : zipped(bias, other, (a, b) => a * b);
    } else break;
    joined.push(user);
    last = user;
  }
  return { weight, bias, joined };
}

/** The constant operand of a node, if it has one number for each channel of the other operand. */
export function channelConstant(
  builder: Builder,
  { domain, inputs }: OnnxNode,
  output: string,
  channels: number,
  rank: number,
): Constant | undefined {
  if (domain !== "" || inputs.length !== 2) return undefined;
  const name = inputs[0] === output ? inputs[1]! : inputs[0]!;
  const other = builder.values.get(name) ?? builder.onnx.constants.get(name);
  if (other?.kind !== "constant" || other.type !== "float" || other.shape.length > rank) return undefined;
  const full = [...Array.from({ length: rank - other.shape.length }, () => 1), ...other.shape];
  return full.every((size, axis) => size === (axis === 1 ? channels : 1)) ? other : undefined;
}

function zipped(a: Constant, b: Constant, run: (a: number, b: number) => number): Constant {
  const others = b.read();
  const values = Float32Array.from(a.read(), (value, index) => run(value, others[index]!));
  return constantOf(a.shape, "float", values, `${a.name} ${b.name}`);
}

/** A kernel times a factor for each filter. */
function scaled(weight: Constant, factors: Constant): Constant {
  const read = (): Float32Array => {
    const [values, all] = [weight.read(), factors.read()];
    const part = values.length / all.length;
    return Float32Array.from(values, (value, index) => value * all[Math.floor(index / part)]!);
  };
  return { ...weight, name: `${weight.name} ${factors.name}`, read };
}

export function convolution(builder: Builder, node: OnnxNode, x: Signal, { weight, bias }: Kernel): Signal {
  const group = builder.number(node, "group", 1);
  const map = mapOf(builder, node, x);
  const [filters, part, ...kernel] = weight.shape as [number, number, ...number[]];
  if (weight.shape.length !== x.axes.length || map.channels !== part * group || filters % group !== 0)
    return builder.refuse(
      node,
      `its kernel of [${weight.shape.join(", ")}] and ${group} groups does not fit an input of ${String(map.channels)} channels`,
    );
  if (bias !== undefined && bias.shape.reduce((a, size) => a * size, 1) !== filters)
    return builder.refuse(node, `expected a bias of ${filters} numbers, got [${bias.shape.join(", ")}]`);
  checkKernelShape(builder, node, kernel);
  const window = windowOf(builder, node, map.sizes, kernel);
  const isSkipping = window.strides.some((stride) => stride > 1) && window.dilations.some((rate) => rate > 1);
  // tfjs has no convolution with strides and dilations: computes every position, and takes each stride-th.
  const strides = isSkipping ? window.strides.map(() => 1) : window.strides;
  const own = { ...window, strides };
  const isSame = window.isSame && !isSkipping;
  const padded = isSame || isValid(window) ? map : zeroPadded(builder, node, map, window.pads);
  const full = isSkipping
    ? padded.sizes.map((size, axis) => computed("-", size, (kernel[axis]! - 1) * window.dilations[axis]!))
    : window.out;
  const make = layerMaker(map, own, { filters, part, group, isSame, hasBias: bias !== undefined });
  if (make === undefined) return builder.refuse(node, `a convolution over volumes with ${group} groups is not known`);
  const key = [make.className, map.isLine, strides, window.dilations, isSame, weight.name, bias?.name];
  const tensor = builder.applyWeighted(node, padded.signal.tensor, key, make.layer, {
    [make.kernelName]: () => make.order(floatsOf(weight)),
    bias: bias === undefined ? undefined : () => floatsOf(bias),
  });
  const y = mapResult({ ...padded, isLine: map.isLine }, tensor, full, filters);
  return isSkipping ? strided(builder, node, y, window) : y;
}

function checkKernelShape(builder: Builder, node: OnnxNode, kernel: readonly number[]): void {
  const stated = builder.ints(node, "kernel_shape");
  if (stated !== undefined && String(stated) !== String(kernel))
    builder.refuse(node, `states a kernel of [${stated.join(", ")}], its weight has [${kernel.join(", ")}]`);
}

interface Maker {
  readonly className: string;
  readonly kernelName: string;
  layer(name: string): tfl.layers.Layer;
  order(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
}

interface ConvolutionSizes {
  readonly filters: number;
  readonly part: number;
  readonly group: number;
  readonly isSame: boolean;
  readonly hasBias: boolean;
}

/** The layer of a convolution, and the order of its kernel; undefined if there is no such layer. */
function layerMaker(
  map: FeatureMap,
  window: Window,
  { filters, part, group, isSame, hasBias }: ConvolutionSizes,
): Maker | undefined {
  const kernel = both(map, window.kernel, 1);
  const common = {
    kernelSize: kernel as Pair,
    strides: both(map, window.strides, 1) as Pair,
    padding: isSame ? ("same" as const) : ("valid" as const),
    useBias: hasBias,
  };
  const dilationRate = both(map, window.dilations, 1) as Pair;
  const isDilated = dilationRate.some((rate) => rate > 1);
  const spatial = kernel.map((_, axis) => axis + 2);
  const order = (values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> =>
    permuted(values, [filters, part, ...kernel], [...spatial, 1, 0]);
  if (kernel.length === 3) {
    if (group > 1) return undefined;
    const args = { ...common, filters, dilationRate } as never as Parameters<typeof tfl.layers.conv3d>[0];
    return { className: "Conv3D", kernelName: "kernel", layer: (name) => tfl.layers.conv3d({ ...args, name }), order };
  }
  const equalStrides = common.strides[0] === common.strides[1];
  if (group > 1 && part === 1 && equalStrides) {
    const depthMultiplier = filters / group;
    const args = { ...common, depthMultiplier };
    return {
      className: "DepthwiseConv2D",
      kernelName: "depthwise_kernel",
      layer: (name) =>
        isDilated
          ? new DilatedDepthwiseConv2D({ ...args, name, dilationRate })
          : tfl.layers.depthwiseConv2d({ ...args, name }),
      order: (values) => permuted(values, [group, depthMultiplier, ...kernel], [2, 3, 0, 1]),
    };
  }
  return {
    className: "Conv2D",
    kernelName: "kernel",
    layer: (name) => new Conv2D({ ...common, filters, dilationRate, groups: group, name }),
    order,
  };
}

/** Each stride-th position of a map. */
function strided(builder: Builder, node: OnnxNode, y: Signal, { strides, out }: Window): Signal {
  const slices = y.physical.map((_, place) => {
    const step = strides[place - 1];
    return { start: null, stop: null, step: step ?? null };
  });
  const between = out.map((size) => newAxis(size));
  const [batch, channels] = [y.axes[0]!, y.axes[1]!];
  const line = y.physical.length > y.axes.length ? [[]] : [];
  const result = {
    axes: [batch, channels, ...between],
    physical: [batch, ...between, ...line, channels],
    type: y.type,
  };
  return builder.operation(node, "getitem", { x: y, key: slices }, [result])[0] as Signal;
}

function transposedConvolution(builder: Builder, node: OnnxNode, x: Signal, { weight, bias }: Kernel): Signal {
  const map = mapOf(builder, node, x);
  const [channels, filters, ...kernel] = weight.shape as [number, number, ...number[]];
  if (builder.number(node, "group", 1) !== 1)
    return builder.refuse(node, "a transposed convolution with groups is not known");
  if (weight.shape.length !== x.axes.length || map.channels !== channels)
    return builder.refuse(
      node,
      `its kernel of [${weight.shape.join(", ")}] does not fit an input of ${String(map.channels)} channels`,
    );
  checkKernelShape(builder, node, kernel);
  const list = (name: string, otherwise: number): number[] => builder.ints(node, name) ?? kernel.map(() => otherwise);
  const [strides, dilations, extra] = [list("strides", 1), list("dilations", 1), list("output_padding", 0)];
  for (const values of [strides, dilations])
    if (
      values.length !== kernel.length ||
      !values.every((value) => Number.isInteger(value) && value >= 1 && value < 2 ** 20)
    )
      return builder.refuse(node, `expected ${kernel.length} strides and dilations above 0`);
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const pads = transposedPads(builder, node, { map, strides, reach, extra });
  const whole = map.sizes.map((size, axis) =>
    computed("+", computed("*", computed("-", size, 1), strides[axis]!), reach[axis]!),
  );
  const out = whole.map((size, axis) => computed("+", size, extra[axis]! - pads[axis]![0] - pads[axis]![1]));
  const odd = out.find((size) => isKnownSize(size) && (size < 1 || size > 2 ** 20));
  if (odd !== undefined) return builder.refuse(node, `its output would have a size of ${String(odd)}`);
  if (kernel.length === 3 && dilations.some((rate) => rate > 1))
    return builder.refuse(node, "a dilated transposed convolution over volumes is not known");
  const own = {
    kernelSize: both(map, kernel, 1) as Pair,
    strides: both(map, strides, 1) as Pair,
    filters,
    useBias: bias !== undefined,
  };
  const over = kernel.map((size, axis) => Math.max(0, size - strides[axis]!));
  const isPlain = dilations.every((rate) => rate === 1);
  const isSame =
    isPlain &&
    kernel.every(
      (size, axis) =>
        pads[axis]![0] === Math.floor(over[axis]! / 2) &&
        pads[axis]![1] === Math.ceil(over[axis]! / 2) &&
        extra[axis] === Math.max(0, strides[axis]! - size),
    );
  const longer = pads.map(([, after], axis) => Math.max(0, extra[axis]! - after));
  const crops = pads.map(([before, after], axis): Pair => [before, Math.max(0, after - extra[axis]!)]);
  const make = (name: string): tfl.layers.Layer => {
    if (kernel.length === 3)
      return tfl.layers.conv3dTranspose({ ...own, name, padding: isSame ? "same" : "valid" } as never);
    if (isSame) return tfl.layers.conv2dTranspose({ ...own, name, padding: "same" });
    return isPlain && longer.every((size) => size === 0) && kernel.every((size, axis) => size >= strides[axis]!)
      ? tfl.layers.conv2dTranspose({ ...own, name, padding: "valid" })
      : new SizedConv2DTranspose({
          ...own,
          name,
          padding: "valid",
          dilationRate: both(map, dilations, 1) as Pair,
          outputPadding: both(map, longer, 0),
        });
  };
  if (kernel.length === 3 && !isSame && longer.some((size) => size > 0))
    return builder.refuse(node, "output_padding over volumes is not known");
  const size = both(map, kernel, 1);
  const weights: WeightValues = {
    kernel: () => permuted(weight.read(), [channels, filters, ...size], [...size.map((_, axis) => axis + 2), 1, 0]),
    bias: bias === undefined ? undefined : () => floatsOf(bias),
  };
  const tensor = builder.applyWeighted(
    node,
    map.signal.tensor,
    [map.isLine, own, pads, dilations, extra, bias?.name],
    make,
    weights,
  );
  if (isSame) return mapResult(map, tensor, out, filters);
  const full = whole.map((length, axis) => computed("+", length, longer[axis]!));
  return cropped(builder, node, mapResult(map, tensor, full, filters), map, crops, out);
}

interface TransposedPads {
  readonly map: FeatureMap;
  readonly strides: readonly number[];
  readonly reach: readonly number[];
  readonly extra: readonly number[];
}

function transposedPads(builder: Builder, node: OnnxNode, { map, strides, reach, extra }: TransposedPads): Pair[] {
  const auto = builder.word(node, "auto_pad", "NOTSET");
  const shape = builder.ints(node, "output_shape");
  if (shape !== undefined || auto.startsWith("SAME")) {
    return map.sizes.map((size, axis): Pair => {
      const wanted = shape?.[axis - map.sizes.length + shape.length] ?? computed("*", size, strides[axis]!);
      const whole = computed("+", computed("*", computed("-", size, 1), strides[axis]!), reach[axis]! + extra[axis]!);
      const known = shape === undefined ? reach[axis]! + extra[axis]! - strides[axis]! : computed("-", whole, wanted);
      if (!isKnownSize(known)) return builder.refuse(node, "its output_shape needs an input of known size");
      const total = Math.max(0, known);
      const [small, large] = [Math.floor(total / 2), Math.ceil(total / 2)];
      return auto === "SAME_UPPER" ? [small, large] : [large, small];
    });
  }
  const pads = builder.ints(node, "pads") ?? strides.flatMap(() => [0, 0]);
  if (pads.length !== 2 * strides.length || !pads.every((pad) => Number.isInteger(pad) && pad >= 0 && pad < 2 ** 20))
    return builder.refuse(
      node,
      `expected ${2 * strides.length} whole numbers from 0 as its pads, got ${pads.join(", ")}`,
    );
  return strides.map((_, axis): Pair => [pads[axis]!, pads[axis + strides.length]!]);
}

function cropped(
  builder: Builder,
  node: OnnxNode,
  y: Signal,
  map: FeatureMap,
  crops: readonly Pair[],
  out: readonly Size[],
): Signal {
  if (crops.flat().every((size) => size === 0)) return y;
  const wide = both<Pair>(map, crops, [0, 0]);
  const result = mapResult({ ...map, signal: { ...y, axes: map.isLine ? [...y.axes, []] : y.axes } }, y.tensor, out);
  if (wide.length === 3) {
    const key = [[0, 0], ...wide, [0, 0]].map(([before, after]) => ({
      start: before,
      stop: after === 0 ? null : -after!,
      step: null,
    }));
    return builder.operation(node, "getitem", { x: y, key }, [result])[0] as Signal;
  }
  const cropping = wide.map((side) => [...side]) as [Pair, Pair];
  const [tensor] = builder.apply(node, tfl.layers.cropping2D({ name: builder.layerName(node, ".crop"), cropping }), [
    y.tensor,
  ]);
  return { ...result, tensor: tensor! };
}

export const convolutions: Readonly<Record<string, Read>> = {
  Conv: (builder, node) => {
    const x = builder.signal(node);
    const { joined, ...kernel } = kernelOf(builder, node);
    const y = convolution(builder, node, x, kernel);
    for (const part of joined) builder.skip(part, y);
    return y;
  },
  ConvTranspose: (builder, node) => {
    const x = builder.signal(node);
    const { joined, ...kernel } = kernelOf(builder, node);
    const y = transposedConvolution(builder, node, x, kernel);
    for (const part of joined) builder.skip(part, y);
    return y;
  },
};
