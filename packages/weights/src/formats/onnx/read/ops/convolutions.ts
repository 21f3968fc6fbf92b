import { convolution } from "./convolution.ts";
import { kernelOf } from "./kernels.ts";
import type { Read } from "./read.ts";
import { transposedConvolution } from "./transposed-convolution.ts";

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
