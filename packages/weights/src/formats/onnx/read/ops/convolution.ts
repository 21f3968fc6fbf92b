import { Conv2D } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { DilatedDepthwiseConv2D, GroupedConv3D } from "../../../../layers/convolutions.ts";
import type { Builder } from "../builder.ts";
import { floatsOf, permuted } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Signal } from "../signal.ts";
import { computed } from "../sizes.ts";
import { isValid, windowOf } from "../windows.ts";
import type { Window } from "../windows.ts";
import { checkKernelShape } from "./kernels.ts";
import type { Kernel, Pair } from "./kernels.ts";
import { both, mapOf, mapResult, zeroPadded } from "./maps.ts";
import type { FeatureMap } from "./maps.ts";

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
  const key = [make.className, map.isLine, strides, window.dilations, isSame, weight.name, bias?.name];
  const tensor = builder.applyWeighted(node, padded.signal.tensor, key, make.layer, {
    [make.kernelName]: () => make.order(floatsOf(weight)),
    bias: bias === undefined ? undefined : () => floatsOf(bias),
  });
  const y = mapResult({ ...padded, isLine: map.isLine }, tensor, full, filters);
  return isSkipping ? strided(builder, node, y, window) : y;
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

/** The layer of a convolution, and the order of its kernel. */
function layerMaker(
  map: FeatureMap,
  window: Window,
  { filters, part, group, isSame, hasBias }: ConvolutionSizes,
): Maker {
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
    const args = { ...common, filters, dilationRate } as never as Parameters<typeof tfl.layers.conv3d>[0];
    return {
      className: "Conv3D",
      kernelName: "kernel",
      layer: (name) =>
        group > 1 || isDilated
          ? new GroupedConv3D({ ...args, groups: group, name })
          : tfl.layers.conv3d({ ...args, name }),
      order,
    };
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
