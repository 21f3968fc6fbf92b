import * as tf from "@tensorflow/tfjs-core";

import { EngineError } from "../engine-error.ts";
import { refineKernel } from "./refine-kernel.ts";

/**
 * Registers dilated depthwise convolutions, which TensorFlow's kernel refuses. Space-to-batch moves each phase of the
 * dilation into a batch element of its own, the kernel runs without dilation, and batch-to-space moves the result
 * back, as in Keras on TensorFlow.
 */
export function registerDilatedDepthwise(): void {
  refineKernel("DepthwiseConv2dNative", (stock) => (parameters) => {
    const { x, filter } = parameters.inputs as { x: tf.Tensor4D; filter: tf.Tensor4D };
    const attrs = parameters.attrs as unknown as tf.DepthwiseConv2dNativeAttrs;
    const info = describe(x, filter, attrs);
    if (info.dilationHeight === 1 && info.dilationWidth === 1) return stock(parameters);
    const rates = [info.dilationHeight, info.dilationWidth] as const;
    const { top, bottom, left, right } = info.padInfo;
    return tf.tidy(() => {
      const heights = [top, bottom, info.inHeight, rates[0]] as const;
      const widths = [left, right, info.inWidth, rates[1]] as const;
      const extra = [heights, widths].map(
        ([before, after, size, rate]) => (rate - ((before + after + size) % rate)) % rate,
      );
      const pads = [
        [top, bottom + extra[0]!],
        [left, right + extra[1]!],
      ];
      const phases = tf.spaceToBatchND(x, [...rates], pads);
      const plain = { strides: [1, 1], pad: "valid", dilations: [1, 1] } as unknown as tf.NamedAttrMap;
      const y = stock({ ...parameters, inputs: { x: phases, filter }, attrs: plain }) as tf.Tensor;
      const crops = extra.map((size) => [0, size]);
      return tf.batchToSpaceND(y, [...rates], crops);
    });
  });
  refineKernel("FusedDepthwiseConv2D", (stock) => (parameters) => {
    const { x, filter, bias, preluActivationWeights } = parameters.inputs as Record<string, tf.Tensor>;
    const attrs = parameters.attrs as unknown as tf.FusedDepthwiseConv2DAttrs;
    const info = describe(x as tf.Tensor4D, filter as tf.Tensor4D, attrs);
    if (info.dilationHeight === 1 && info.dilationWidth === 1) return stock(parameters);
    return tf.tidy(() => {
      const { kernelFunc } = tf.getKernel("DepthwiseConv2dNative", "tensorflow");
      const y = kernelFunc({ ...parameters, inputs: { x: x!, filter: filter! } }) as tf.Tensor;
      const sum = bias === undefined ? y : tf.add(y, bias);
      return activated(sum, attrs, preluActivationWeights);
    });
  });
}

function describe(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  { strides, pad, dilations, dimRoundingMode }: Omit<tf.DepthwiseConv2dNativeAttrs, "dataFormat">,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(
    x.shape,
    filter.shape,
    strides,
    dilations ?? [1, 1],
    pad,
    dimRoundingMode,
    true,
  );
}

function activated(x: tf.Tensor, attrs: tf.FusedDepthwiseConv2DAttrs, alpha: tf.Tensor | undefined): tf.Tensor {
  const { activation, leakyreluAlpha } = attrs as unknown as { activation?: string; leakyreluAlpha?: number };
  switch (activation ?? "linear") {
    case "linear":
      return x;
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "elu":
      return tf.elu(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "leakyrelu":
      return tf.leakyRelu(x, leakyreluAlpha);
    case "prelu":
      return tf.prelu(x, alpha!);
    default:
      throw new EngineError(
        `A dilated depthwise convolution has no fused activation "${activation}": apply it after the layer.`,
      );
  }
}
