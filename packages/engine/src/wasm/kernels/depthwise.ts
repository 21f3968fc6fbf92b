import { backend_util as util, type TensorInfo } from "@tensorflow/tfjs-core";

import { EngineError } from "../../engine-error.ts";
import { address, input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";
import { activate, fusedCode } from "./activation.ts";
import { filterArgs, type FilterFields, type Shape4, type Window } from "./window.ts";

/** `[n, h, w, c] * [kh, kw, c, multiplier] -> [n, oh, ow, c * multiplier]`, each channel by itself. */
export function depthwiseConv2d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return fusedDepthwiseConv2d(inputs, { ...attrs, activation: "linear" }, context);
}

/** A depthwise convolution with bias and activation. */
export function fusedDepthwiseConv2d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const filter = input(inputs, "filter");
  const info = describe(x.shape, filter.shape, attrs);
  const { bias } = inputs;
  const y = output(context, info.outShape);
  if (sizeOf(y.shape) === 0) return y;
  const args = depthwiseArgs(info, {
    x: address(context, x),
    filter: address(context, filter),
    y: address(context, y),
    bias: bias === undefined ? 0 : address(context, bias),
    activation: fusedCode(attrs["activation"]),
  });
  context.runtime.run("depthwise", args, "depthwiseUnits", macs(info));
  return activate(y, inputs, attrs, context);
}

/** The gradient of a depthwise convolution with respect to its input. */
export function depthwiseBackpropInput(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const dy = input(inputs, "dy");
  const filter = input(inputs, "filter");
  const info = describe(attrs["inputShape"] as number[], filter.shape, attrs);
  const dx = output(context, info.inShape);
  if (sizeOf(dx.shape) === 0) return dx;
  const fields = { x: address(context, dx), filter: address(context, filter), y: address(context, dy) };
  context.runtime.run("depthwiseInput", depthwiseArgs(info, fields), "depthwiseInputUnits", macs(info));
  return dx;
}

/** The gradient of a depthwise convolution with respect to its filter. */
export function depthwiseBackpropFilter(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const dy = input(inputs, "dy");
  const info = describe(x.shape, attrs["filterShape"] as number[], attrs);
  const dw = output(context, attrs["filterShape"] as number[]);
  if (sizeOf(dw.shape) === 0) return dw;
  const { runtime } = context;
  const fields = { x: address(context, x), filter: address(context, dw), y: address(context, dy) };
  const partials = runtime.malloc(runtime.ask("depthwiseFilterPartials", depthwiseArgs(info, fields)));
  const args = depthwiseArgs(info, { ...fields, partials });
  runtime.run("depthwiseFilter", args, "depthwiseFilterUnits", macs(info));
  runtime.ask("depthwiseFilterSum", args);
  runtime.free(partials);
  return dw;
}

function describe(inShape: readonly number[], filterShape: readonly number[], attrs: Attrs): Window {
  const strides = attrs["strides"] as [number, number];
  const dilations = (attrs["dilations"] as [number, number] | null | undefined) ?? [1, 1];
  const info = util.computeConv2DInfo(
    inShape as Shape4,
    filterShape as Shape4,
    strides,
    dilations,
    attrs["pad"] as "same",
    attrs["dimRoundingMode"] as "floor" | undefined,
    true,
  );
  if (attrs["dataFormat"] === undefined || attrs["dataFormat"] === "NHWC") return info;
  throw new EngineError(
    "A depthwise convolution takes NHWC on the wasm engine, not NCHW: transpose the input, or use the native engine.",
  );
}

function macs(info: Window): number {
  return info.batchSize * info.outHeight * info.outWidth * info.outChannels * info.filterHeight * info.filterWidth;
}

/** The structure `Depthwise` of the assembly. */
function depthwiseArgs(info: Window, fields: FilterFields): number[] {
  return filterArgs(info, info.outChannels / info.inChannels, fields);
}
