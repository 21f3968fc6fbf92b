import * as tf from "@tensorflow/tfjs-core";

import type { Context, Kernel } from "./backend.ts";
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput, fusedConv2d } from "./kernels/convolution.ts";
import { identity, tile } from "./kernels/copies.ts";
import {
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  depthwiseConv2d,
  fusedDepthwiseConv2d,
} from "./kernels/depthwise.ts";
import { batchMatMul, fusedMatMul } from "./kernels/matmul.ts";
import { averagePool, averagePoolGrad, maxPool, maxPoolGrad } from "./kernels/pooling.ts";

/** Kernels that tfjs' wasm backend lacks, gets wrong (the pools and their gradients), or computes slowly. */
const kernels: Readonly<Record<string, Kernel>> = {
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGrad,
  BatchMatMul: batchMatMul,
  Conv2D: conv2d,
  Conv2DBackpropFilter: conv2dBackpropFilter,
  Conv2DBackpropInput: conv2dBackpropInput,
  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  FusedConv2D: fusedConv2d,
  FusedDepthwiseConv2D: fusedDepthwiseConv2d,
  Identity: identity,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  Tile: tile,
  _FusedMatMul: fusedMatMul,
};

/** Registers the kernels with tfjs, in place of the backend's own of the same names. */
export function registerKernels(context: Context): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
    tf.registerKernel({
      kernelName,
      backendName: "wasm",
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as Record<string, tf.TensorInfo>, attrs ?? {}, context),
    });
  }
}
