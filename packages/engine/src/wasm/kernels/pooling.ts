import { backend_util as util, type TensorInfo } from "@tensorflow/tfjs-core";

import { EngineError } from "../../engine-error.ts";
import type { KernelName } from "../runtime/runtime.ts";
import { address, input, output, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";
import { type Shape4, type Window, windowFields } from "./window.ts";

/** `[n, h, w, c] -> [n, oh, ow, c]`, the largest value of each window. */
export function maxPool(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return pool("maxPool", inputs, attrs, context);
}

/** `[n, h, w, c] -> [n, oh, ow, c]`, the mean of each window; padding does not count, as in TensorFlow. */
export function averagePool(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return pool("averagePool", inputs, attrs, context);
}

/** The gradient goes to the first largest value of a window, as in TensorFlow. */
export function maxPoolGrad(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return poolGrad("maxPoolGrad", inputs, attrs, context);
}

/** Divides the gradient evenly among the input values of the window. */
export function averagePoolGrad(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  return poolGrad("averagePoolGrad", inputs, attrs, context);
}

function pool(name: KernelName, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const x = input(inputs, "x");
  if (x.dtype !== "float32") {
    throw new EngineError(`Pooling takes float32 on the wasm engine, not ${x.dtype} [${x.shape}]: cast first.`);
  }
  const info = describe(x.shape, attrs);
  const y = output(context, info.outShape);
  if (sizeOf(y.shape) === 0) return y;
  const args = poolArgs(info, { x: address(context, x), y: address(context, y) });
  context.runtime.run(name, args, "poolUnits", work(info));
  return y;
}

function poolGrad(name: KernelName, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const dy = input(inputs, "dy");
  const x = input(inputs, "input");
  const info = describe(x.shape, attrs);
  const dx = output(context, x.shape);
  if (sizeOf(dx.shape) === 0) return dx;
  const places = { x: address(context, x), dy: address(context, dy), dx: address(context, dx) };
  context.runtime.run(name, poolArgs(info, places), "poolGradUnits", work(info));
  return dx;
}

function describe(shape: readonly number[], attrs: Attrs): Window {
  return util.computePool2DInfo(
    shape as Shape4,
    attrs["filterSize"] as [number, number],
    attrs["strides"] as [number, number],
    1,
    attrs["pad"] as "same",
    attrs["dimRoundingMode"] as "floor" | undefined,
  );
}

function work(info: Window): number {
  return info.batchSize * info.outHeight * info.outWidth * info.inChannels * info.filterHeight * info.filterWidth;
}

interface Fields {
  x: number;
  y?: number;
  dy?: number;
  dx?: number;
}

/** The structure `Pool` of the assembly. */
function poolArgs(info: Window, { x, y = 0, dy = 0, dx = 0 }: Fields): number[] {
  return [x, y, dy, dx, ...windowFields(info)];
}
