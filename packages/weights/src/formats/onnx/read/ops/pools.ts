import { GlobalAveragePooling2D, LocalResponseNormalization, PaddedPooling2D } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { GlobalMaxPooling2DKeepdims } from "../../../../layers/base-layers.ts";
import type { Builder } from "../builder.ts";
import type { OnnxNode } from "../node.ts";
import { isKnownSize } from "../sizes.ts";
import type { Signal } from "../signal.ts";
import { isValid, windowOf } from "../windows.ts";
import type { Window } from "../windows.ts";
import { both, mapOf, mapResult, zeroPadded } from "./maps.ts";
import type { FeatureMap } from "./maps.ts";
import type { Read } from "./read.ts";

type Pair = [number, number];

function pool(builder: Builder, node: OnnxNode, kind: "max" | "average"): Signal {
  const map = mapOf(builder, node, builder.signal(node));
  const kernel = builder.ints(node, "kernel_shape") ?? builder.refuse(node, "expected a kernel_shape");
  const window = windowOf(builder, node, map.sizes, kernel);
  if (node.outputs.length > 1 && node.outputs[1] !== "" && builder.users(node.outputs[1]!).length > 0)
    return builder.refuse(node, "its second output, the places of the maxima, is not known");
  const countsPad = kind === "average" && builder.number(node, "count_include_pad", 0) === 1;
  if (window.pads.flat().some((pad) => pad < 0)) return builder.refuse(node, "has negative pads, which are not known");
  if (window.dilations.some((rate) => rate > 1)) return windowed(builder, node, map, window, { mode: kind, countsPad });
  const [poolSize, strides] = [both(map, window.kernel, 1), both(map, window.strides, 1)];
  const fits =
    !window.isCeil ||
    map.sizes.every((size, axis) => {
      const [before, after] = window.pads[axis]!;
      const over = isKnownSize(size) ? (size + before + after - kernel[axis]!) % window.strides[axis]! : 1;
      return over === 0;
    });
  const isPlain = isValid(window) && fits;
  // TensorFlow's "same" leaves the padding out of a mean.
  const isSame = !isPlain && window.isSame && !countsPad;
  const finish = (tensor: tfl.SymbolicTensor): Signal => ({
    ...mapResult(map, tensor, window.out),
    isRaw: map.signal.isRaw,
  });
  if (poolSize.length === 3) {
    const isPadded = countsPad && fits;
    if (!isPlain && !isSame && !isPadded) return windowed(builder, node, map, window, { mode: kind, countsPad });
    const padded = isPlain || isSame ? map : zeroPadded(builder, node, map, window.pads);
    const make = kind === "max" ? tfl.layers.maxPooling3d : tfl.layers.averagePooling3d;
    const layer = make({
      name: builder.layerName(node),
      poolSize: poolSize as never,
      strides: strides as never,
      padding: isSame ? "same" : "valid",
    });
    return finish(builder.apply(node, layer, [padded.signal.tensor])[0]!);
  }
  const name = builder.layerName(node);
  const args = { name, poolSize: poolSize as Pair, strides: strides as Pair };
  const stock = kind === "max" ? tfl.layers.maxPooling2d : tfl.layers.averagePooling2d;
  const padding = both<readonly [number, number]>(map, window.pads, [0, 0]) as unknown as [Pair, Pair];
  const layer =
    isPlain || isSame
      ? stock({ ...args, padding: isSame ? "same" : "valid" })
      : new PaddedPooling2D({ ...args, mode: kind, padding, ceilMode: window.isCeil, countIncludePad: countsPad });
  return finish(builder.apply(node, layer, [map.signal.tensor])[0]!);
}

/** A pool that no layer of tfjs does: dilated windows, volumes with pads, means of powers. */
function windowed(
  builder: Builder,
  node: OnnxNode,
  map: FeatureMap,
  window: Window,
  how: { readonly mode: "max" | "average" | "power"; readonly countsPad?: boolean; readonly power?: number },
): Signal {
  const args = {
    x: map.signal,
    pool_size: both(map, window.kernel, 1),
    strides: both(map, window.strides, 1),
    dilation_rate: both(map, window.dilations, 1),
    padding: both<readonly [number, number]>(map, window.pads, [0, 0]),
    mode: how.mode,
    ceil_mode: window.isCeil,
    count_include_pad: how.countsPad,
    power: how.power,
  };
  const result = mapResult(map, map.signal.tensor, window.out);
  return builder.operation(node, "poolwindows", args, [result], map.signal.isRaw)[0] as Signal;
}

/** Operators that take a pooled map as a list. */
const gathers = new Set(["Flatten", "Reshape", "Squeeze"]);

function globalPool(builder: Builder, node: OnnxNode, kind: "max" | "average"): Signal {
  return pooledWhole(builder, node, builder.signal(node), kind, true);
}

/** The mean or maximum of each channel; height and width become 1, or are left out. */
export function pooledWhole(
  builder: Builder,
  node: OnnxNode,
  x: Signal,
  kind: "max" | "average",
  keeps: boolean,
): Signal {
  const map = mapOf(builder, node, x);
  const [batch, channels] = map.signal.axes as [Signal["axes"][0], Signal["axes"][0]];
  const ones = keeps ? map.sizes.map(() => []) : [];
  const axes = [batch, channels, ...ones];
  const rank = map.signal.physical.length;
  if (rank !== 4) {
    const physical = [batch, channels];
    const values = { x: map.signal, axis: map.sizes.map((_, axis) => axis + 1), keepdims: false };
    return builder.operation(
      node,
      kind === "max" ? "max" : "mean",
      values,
      [{ axes, physical, type: "float" }],
      map.signal.isRaw,
    )[0] as Signal;
  }
  const user = builder.onlyUser(node.outputs[0] ?? "");
  const isList = !keeps || user === undefined || gathers.has(user.op);
  const name = builder.layerName(node);
  const layer =
    kind === "average"
      ? new GlobalAveragePooling2D({ name, keepdims: !isList })
      : isList
        ? tfl.layers.globalMaxPooling2d({ name })
        : new GlobalMaxPooling2DKeepdims({ name });
  const [tensor] = builder.apply(node, layer, [map.signal.tensor]);
  const physical = isList ? [batch, channels] : [batch, [], [], channels];
  return { ...map.signal, tensor: tensor!, axes, physical, origin: undefined };
}

export const pools: Readonly<Record<string, Read>> = {
  MaxPool: (builder, node) => pool(builder, node, "max"),
  AveragePool: (builder, node) => pool(builder, node, "average"),
  GlobalAveragePool: (builder, node) => globalPool(builder, node, "average"),
  GlobalMaxPool: (builder, node) => globalPool(builder, node, "max"),
  LpPool: (builder, node) => {
    const map = mapOf(builder, node, builder.signal(node));
    const kernel = builder.ints(node, "kernel_shape") ?? builder.refuse(node, "expected a kernel_shape");
    const window = windowOf(builder, node, map.sizes, kernel);
    if (window.pads.flat().some((pad) => pad < 0))
      return builder.refuse(node, "has negative pads, which are not known");
    return windowed(builder, node, map, window, { mode: "power", power: builder.number(node, "p", 2) });
  },
  GlobalLpPool: (builder, node) => {
    const map = mapOf(builder, node, builder.signal(node));
    const kernel = map.sizes.map((size) =>
      isKnownSize(size) ? size : builder.refuse(node, "needs an input of known size: export the file with fixed sizes"),
    );
    const ones = kernel.map(() => 1);
    const pads = kernel.map((): Pair => [0, 0]);
    const window = { kernel, strides: ones, dilations: ones, pads, isCeil: false, out: ones, isSame: false };
    return windowed(builder, node, map, window, { mode: "power", power: builder.number(node, "p", 2) });
  },
  LRN: (builder, node) => {
    const size = builder.number(node, "size", 1);
    if (size % 2 !== 1) return builder.refuse(node, `expected a window of an odd size, got ${size}`);
    const map = mapOf(builder, node, builder.signal(node));
    if (map.signal.physical.length !== 4) return builder.refuse(node, "expected a map");
    const layer = new LocalResponseNormalization({
      name: builder.layerName(node),
      radius: (size - 1) / 2,
      bias: builder.number(node, "bias", 1),
      // ONNX divides alpha by the window's length.
      alpha: builder.number(node, "alpha", 1e-4) / size,
      beta: builder.number(node, "beta", 0.75),
    });
    return mapResult(map, builder.apply(node, layer, [map.signal.tensor])[0]!, map.sizes);
  },
};
