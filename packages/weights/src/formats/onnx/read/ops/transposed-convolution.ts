import { countOf } from "../../../../bytes/named-tensor.ts";
import { Concatenate } from "../../../../layers/joins.ts";
import * as tfl from "@tensorflow/tfjs-layers";
import { SizedConv2DTranspose, SizedConv3DTranspose } from "../../../../layers/convolutions.ts";
import type { Builder, WeightValues } from "../builder.ts";
import type { Constant } from "../constant.ts";
import { floatsOf, permuted } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { computed, isKnownSize } from "../sizes.ts";
import type { Size } from "../sizes.ts";
import { checkKernelShape } from "./kernels.ts";
import type { Kernel, Pair } from "./kernels.ts";
import { both, mapOf, mapResult } from "./maps.ts";
import type { FeatureMap } from "./maps.ts";

export function transposedConvolution(builder: Builder, node: OnnxNode, x: Signal, kernel: Kernel): Signal {
  const group = builder.number(node, "group", 1);
  return group === 1 ? ofOneGroup(builder, node, x, kernel) : ofGroups(builder, node, x, kernel, group);
}

/** A layer for each group of channels, joined: tfjs has no transposed convolution with groups. */
function ofGroups(builder: Builder, node: OnnxNode, x: Signal, { weight, bias }: Kernel, group: number): Signal {
  const map = mapOf(builder, node, x);
  const [channels, filters] = weight.shape as [number, number];
  if (map.channels !== channels || !Number.isInteger(group) || group < 1 || channels % group !== 0)
    return builder.refuse(
      node,
      `its kernel of [${weight.shape.join(", ")}] and ${group} groups does not fit an input of ${String(map.channels)} channels`,
    );
  const each = channels / group;
  const part = (constant: Constant, index: number, shape: readonly number[]): Constant => {
    const size = countOf(shape);
    const read = (): ArrayLike<number> => Float32Array.from(constant.read()).subarray(index * size, (index + 1) * size);
    return { kind: "constant", name: `${constant.name}#${index}`, type: "float", shape, read };
  };
  const own = newAxis(each);
  const sized = {
    ...map.signal,
    axes: map.signal.axes.with(1, own),
    physical: [...map.signal.physical.slice(0, -1), own],
  };
  const pieces = builder.operation(
    node,
    "splitsizes",
    { x: map.signal, sizes: Array.from({ length: group }, () => each), axis: map.signal.physical.length - 1 },
    Array.from({ length: group }, () => sized),
  ) as Signal[];
  const results = pieces.map((piece, index) => {
    const axes = map.isLine ? piece.axes.slice(0, -1) : piece.axes;
    const inputs = node.inputs.map((name, at) => (at === 0 ? name : `${name}#${index}`));
    const kernel = {
      weight: part(weight, index, [each, ...weight.shape.slice(1)]),
      bias: bias && part(bias, index, [filters]),
    };
    return ofOneGroup(builder, { ...node, inputs }, { ...piece, axes }, kernel);
  });
  const joined = new Concatenate({ name: builder.layerName(node, ".groups"), axis: -1 });
  const [tensor] = builder.apply(
    node,
    joined,
    results.map((result) => result.tensor),
  );
  const [first] = results;
  const all = newAxis(filters * group);
  return {
    ...first!,
    tensor: tensor!,
    axes: first!.axes.with(1, all),
    physical: [...first!.physical.slice(0, -1), all],
  };
}

function ofOneGroup(builder: Builder, node: OnnxNode, x: Signal, { weight, bias }: Kernel): Signal {
  const map = mapOf(builder, node, x);
  const [channels, filters, ...kernel] = weight.shape as [number, number, ...number[]];
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
  // tfjs-layers' own give kernels that are smaller than their stride a longer output than ONNX does.
  const isStock = isPlain && longer.every((size) => size === 0) && kernel.every((size, axis) => size >= strides[axis]!);
  const make = (name: string): tfl.layers.Layer => {
    if (kernel.length === 3)
      return isSame || isStock
        ? tfl.layers.conv3dTranspose({ ...own, name, padding: isSame ? "same" : "valid" } as never)
        : new SizedConv3DTranspose({
            ...own,
            name,
            padding: "valid",
            dilationRate: [...dilations],
            outputPadding: [...longer],
          } as never);
    if (isSame) return tfl.layers.conv2dTranspose({ ...own, name, padding: "same" });
    return isStock
      ? tfl.layers.conv2dTranspose({ ...own, name, padding: "valid" })
      : new SizedConv2DTranspose({
          ...own,
          name,
          padding: "valid",
          dilationRate: both(map, dilations, 1) as Pair,
          outputPadding: both(map, longer, 0),
        });
  };
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
  return cropped(builder, node, mapResult(map, tensor, full, filters), { ...map, sizes: full }, crops, out);
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
      // An output beyond the last window's end is longer at its end.
      if (known < 0 && shape !== undefined) return [0, known];
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

/** The result without its borders. `map` has the result's sizes. */
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
