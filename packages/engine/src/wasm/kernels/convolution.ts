import { backend_util as util, type TensorInfo } from "@tensorflow/tfjs-core";

import { address, input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";
import { EngineError } from "../../engine-error.ts";
import { activate, fusedCode } from "./activation.ts";
import { filterArgs, type FilterFields, type Shape4, type Window } from "./window.ts";

/** `[n, h, w, c] * [kh, kw, c, filters] -> [n, oh, ow, filters]` */
export function conv2d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return fusedConv2d(inputs, { ...attrs, activation: "linear" }, context);
}

/** A convolution with bias and activation. */
export function fusedConv2d(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const filter = input(inputs, "filter");
  const info = describe(x.shape, filter.shape, attrs, "Conv2D");
  if (filter.shape[2] !== info.inChannels) {
    throw new EngineError(
      `Conv2D expected a filter of ${info.inChannels} input channels, as x [${x.shape}] has, but got one of [${filter.shape}].`,
    );
  }
  const { bias } = inputs;
  const y = output(context, info.outShape);
  if (sizeOf(y.shape) === 0) return y;
  const fields = {
    x: address(context, x),
    filter: address(context, filter),
    y: address(context, y),
    bias: bias === undefined ? 0 : address(context, bias),
    activation: fusedCode(attrs["activation"]),
  };
  if (isPointwise(info)) {
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    const { x: a, filter: b, y: c, bias, activation } = fields;
    const args = [a, b, c, 1, pixels, info.outChannels, info.inChannels, 0, 0, 0, 0, bias, activation];
    context.runtime.run("matMul", args, "matMulUnits", macs(info));
  } else {
    context.runtime.run("conv", convArgs(info, fields), "convUnits", macs(info));
  }
  return activate(y, inputs, attrs, context);
}

/** The gradient of a convolution with respect to its input. */
export function conv2dBackpropInput(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const dy = input(inputs, "dy");
  const filter = input(inputs, "filter");
  const info = describe(attrs["inputShape"] as number[], filter.shape, attrs, "Conv2DBackpropInput");
  if (dy.shape.some((length, axis) => length !== info.outShape[axis])) {
    throw new EngineError(
      `Conv2DBackpropInput expected dy of the shape [${info.outShape}], which an input of [${info.inShape}] gives, but got [${dy.shape}].`,
    );
  }
  const dx = output(context, info.inShape);
  if (sizeOf(dx.shape) === 0) return dx;
  const fields = { x: address(context, dx), filter: address(context, filter), y: address(context, dy) };
  if (isPointwise(info)) {
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    const args = [fields.y, fields.filter, fields.x, 1, pixels, info.inChannels, info.outChannels, 0, 1, 0, 0, 0, 0];
    context.runtime.run("matMul", args, "matMulUnits", macs(info));
  } else {
    context.runtime.run("convInput", convArgs(info, fields), "convInputUnits", macs(info));
  }
  return dx;
}

/** The gradient of a convolution with respect to its filter. */
export function conv2dBackpropFilter(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  const dy = input(inputs, "dy");
  const info = describe(x.shape, attrs["filterShape"] as number[], attrs, "Conv2DBackpropFilter");
  const dw = output(context, info.filterShape);
  if (sizeOf(dw.shape) === 0) return dw;
  const { runtime } = context;
  const fields = { x: address(context, x), filter: address(context, dw), y: address(context, dy) };
  const bytes = runtime.ask("convFilterPartials", convArgs(info, fields));
  const partials = bytes === 0 ? 0 : runtime.malloc(bytes);
  const args = convArgs(info, { ...fields, partials });
  runtime.run("convFilter", args, "convFilterUnits", macs(info));
  if (partials !== 0) {
    runtime.ask("convFilterSum", args);
    runtime.free(partials);
  }
  return dw;
}

function describe(inShape: readonly number[], filterShape: readonly number[], attrs: Attrs, kernel: string): Window {
  const format = util.convertConv2DDataFormat(attrs["dataFormat"] as "NHWC" | "NCHW");
  const info = util.computeConv2DInfo(
    inShape as Shape4,
    filterShape as Shape4,
    attrs["strides"] as [number, number],
    (attrs["dilations"] as [number, number] | undefined) ?? 1,
    attrs["pad"] as "same",
    attrs["dimRoundingMode"] as "floor" | undefined,
    false,
    format,
  );
  if (info.dataFormat === "channelsLast") return info;
  throw new EngineError(
    `${kernel} takes NHWC on the wasm engine, not NCHW: transpose the input, or use the native engine.`,
  );
}

/** A 1x1 convolution at stride 1 is a matrix product over all pixels. */
function isPointwise(info: Window): boolean {
  return (
    info.filterHeight === 1 &&
    info.filterWidth === 1 &&
    info.strideHeight === 1 &&
    info.strideWidth === 1 &&
    info.outHeight === info.inHeight &&
    info.outWidth === info.inWidth
  );
}

function macs(info: Window): number {
  return (
    info.batchSize *
    info.outHeight *
    info.outWidth *
    info.outChannels *
    info.filterHeight *
    info.filterWidth *
    info.inChannels
  );
}

/** The structure `Conv` of the assembly. */
function convArgs(info: Window, fields: FilterFields): number[] {
  return filterArgs(info, info.outChannels, fields);
}
