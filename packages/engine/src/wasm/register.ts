import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

import { EngineError } from "../engine-error.ts";
import type { Context, Inputs, Kernel } from "./runtime/kernel-context.ts";
import { withAnyBias } from "./kernels/activation.ts";
import { batchNorm, binaryKernel, clipByValue, unaryKernel } from "./kernels/elementwise.ts";
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput, fusedConv2d } from "./kernels/convolution.ts";
import { cast, identity, tile, transpose } from "./kernels/copies.ts";
import { cumulative } from "./kernels/cumulative.ts";
import {
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  depthwiseConv2d,
  fusedDepthwiseConv2d,
} from "./kernels/depthwise.ts";
import { einsum } from "./kernels/einsum.ts";
import { batchMatMul, fusedMatMul } from "./kernels/matmul.ts";
import { oneHot } from "./kernels/one-hot.ts";
import { averagePool, averagePoolGrad, maxPool, maxPoolGrad } from "./kernels/pooling.ts";
import { prelu } from "./kernels/prelu.ts";
import { keepNan, mean, sum } from "./kernels/reduction.ts";
import { unsortedSegmentSum } from "./kernels/segment-sum.ts";
import { concat, slice, splitV, stridedSlice } from "./kernels/slices.ts";
import { transform } from "./kernels/transform.ts";
import {
  averagePool3d,
  averagePool3dGrad,
  conv3d,
  conv3dBackpropFilter,
  conv3dBackpropInput,
  maxPool3d,
  maxPool3dGrad,
} from "./kernels/volume.ts";

/** Kernels that tfjs' wasm backend lacks, gets wrong (the pools and their gradients), or computes slowly. */
const kernels: Readonly<Record<string, Kernel>> = {
  AvgPool: averagePool,
  AvgPool3D: averagePool3d,
  AvgPool3DGrad: averagePool3dGrad,
  AvgPoolGrad: averagePoolGrad,
  BatchMatMul: batchMatMul,
  Conv2D: conv2d,
  Conv2DBackpropFilter: conv2dBackpropFilter,
  Conv2DBackpropInput: conv2dBackpropInput,
  Conv3D: conv3d,
  Conv3DBackpropFilterV2: conv3dBackpropFilter,
  Conv3DBackpropInputV2: conv3dBackpropInput,
  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  FusedConv2D: withAnyBias(fusedConv2d),
  FusedDepthwiseConv2D: (inputs, attrs, context) =>
    withAnyBias(fusedDepthwiseConv2d)(inputs, { ...attrs, isDepthwise: true }, context),
  Einsum: einsum,
  Identity: identity,
  MaxPool: maxPool,
  MaxPool3D: maxPool3d,
  MaxPool3DGrad: maxPool3dGrad,
  MaxPoolGrad: maxPoolGrad,
  OneHot: oneHot,
  Prelu: prelu,
  Tile: tile,
  UnsortedSegmentSum: unsortedSegmentSum,
  _FusedMatMul: withAnyBias(fusedMatMul),
};

/** Our kernels for the common cases; the backend's own kernel handles the rest. */
const refinements: Readonly<Record<string, (stock: Kernel<never>) => Kernel<unknown>>> = {
  Add: (stock) => binaryKernel("Add", stock),
  Cast: cast,
  ClipByValue: clipByValue,
  Concat: concat,
  Cumprod: cumulative,
  Cumsum: cumulative,
  FusedBatchNorm: batchNorm,
  Max: (stock) => keepNan(stock, "reductionIndices"),
  Maximum: (stock) => binaryKernel("Maximum", stock),
  Mean: mean,
  Min: (stock) => keepNan(stock, "axis"),
  Minimum: (stock) => binaryKernel("Minimum", stock),
  Multiply: (stock) => binaryKernel("Multiply", stock),
  Neg: (stock) => unaryKernel("Neg", stock),
  RealDiv: (stock) => binaryKernel("RealDiv", stock),
  Relu: (stock) => unaryKernel("Relu", stock),
  Relu6: (stock) => unaryKernel("Relu6", stock),
  Slice: slice,
  SplitV: splitV,
  Sqrt: (stock) => unaryKernel("Sqrt", stock),
  Square: (stock) => unaryKernel("Square", stock),
  SquaredDifference: (stock) => binaryKernel("SquaredDifference", stock),
  Step: (stock) => unaryKernel("Step", stock),
  StridedSlice: stridedSlice,
  Sub: (stock) => binaryKernel("Sub", stock),
  Sum: sum,
  Transform: transform,
  Transpose: transpose,
};

/**
 * Returns the context of a backend. After `tf.engine().reset()` a new backend has another heap, so its context
 * differs.
 */
export type ContextOf = (backend: BackendWasm) => Context;

/** Registers the kernels with tfjs, in place of the backend's own of the same names. */
export function registerKernels(contextOf: ContextOf): void {
  refuseMissing();
  for (const [name, kernel] of Object.entries(kernels)) replace(name, kernel, contextOf);
  for (const [name, refine] of Object.entries(refinements)) {
    const { kernelFunc, setupFunc } = tf.getKernel(name, "wasm");
    const stock = ((inputs, attrs, { backend }) => kernelFunc({ inputs, attrs, backend } as never)) as Kernel<never>;
    // tfjs calls each kernel's setup with every new backend; there the stock kernel looks up its wasm function.
    replace(name, refine(stock), contextOf, setupFunc);
  }
}

/** Kernels that tfjs does not require of a backend. */
const optional: ReadonlySet<string> = new Set([tf.FromPixels, tf.Draw]);

/**
 * For a missing kernel, throws an error with its name, the reason and a remedy; tfjs only says that it is not
 * registered.
 */
function refuseMissing(): void {
  for (const [constant, kernelName] of Object.entries(tf as Record<string, unknown>)) {
    if (typeof kernelName !== "string" || constant.replace(/^_/, "") !== kernelName.replace(/^_/, "")) continue;
    if (kernelName in kernels || optional.has(kernelName) || tf.getKernel(kernelName, "wasm") !== undefined) continue;
    const refuse = (): never => {
      throw new EngineError(
        `The wasm engine has no kernel for ${kernelName}: use the native engine (\`convkit engine install\`), or ops that it has.`,
      );
    };
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: refuse });
  }
}

function replace(
  kernelName: string,
  kernel: Kernel<unknown>,
  contextOf: ContextOf,
  setupFunc?: tf.KernelConfig["setupFunc"],
): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernel(inputs as Inputs, attrs ?? {}, contextOf(backend as BackendWasm)) as tf.TensorInfo,
    ...(setupFunc && { setupFunc }),
  });
}
