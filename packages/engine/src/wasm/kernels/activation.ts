import type { TensorInfo } from "@tensorflow/tfjs-core";

import { EngineError } from "../../engine-error.ts";
import { call, input, sizeOf, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

const codes: Readonly<Record<string, number>> = { relu: 1, relu6: 2 };

/** The assembly's code for an activation that it can fuse; 0 for no activation and for all others. */
export function fusedCode(activation: unknown): number {
  return codes[activation as string] ?? 0;
}

/**
 * Runs a fused kernel. The assembly adds a bias of one number per channel in the last axis. Any other bias that
 * broadcasts to the output is added afterwards, before the activation.
 */
export function withAnyBias(
  fused: (inputs: Inputs, attrs: Attrs, context: Context) => TensorInfo,
): (inputs: Inputs, attrs: Attrs, context: Context) => TensorInfo {
  return (inputs, attrs, context) => {
    const { bias, ...others } = inputs;
    if (bias === undefined) return fused(inputs, attrs, context);
    const channels = channelsOf(inputs, attrs);
    if (bias.shape.at(-1) === channels && sizeOf(bias.shape) === channels) return fused(inputs, attrs, context);
    const y = fused(others, { ...attrs, activation: "linear" }, context);
    const sum = call(context, "Add", { a: y, b: bias });
    context.backend.disposeData(y.dataId);
    const activation = (attrs["activation"] as string | undefined) ?? "linear";
    if (activation === "linear") return sum;
    const out = apply(activation, sum, inputs, attrs, context);
    context.backend.disposeData(sum.dataId);
    return out;
  };
}

/** The output channels of a fused convolution, depthwise convolution or matrix product. */
function channelsOf(inputs: Inputs, attrs: Attrs): number {
  if (inputs["filter"] === undefined) return input(inputs, "b").shape.at(attrs["transposeB"] === true ? -2 : -1)!;
  const { shape } = inputs["filter"];
  return attrs["isDepthwise"] === true ? shape[2]! * shape[3]! : shape[3]!;
}

/** Applies an activation that the assembly cannot fuse: a fused kernel's last step. */
export function activate(y: TensorInfo, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const activation = attrs["activation"] ?? "linear";
  if (activation === "linear" || fusedCode(activation) !== 0) return y;
  const out = apply(activation as string, y, inputs, attrs, context);
  context.backend.disposeData(y.dataId);
  return out;
}

function apply(activation: string, x: TensorInfo, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  switch (activation) {
    case "relu":
      return call(context, "Relu", { x });
    case "relu6":
      return call(context, "Relu6", { x });
    case "elu":
      return call(context, "Elu", { x });
    case "sigmoid":
      return call(context, "Sigmoid", { x });
    case "leakyrelu":
      return call(context, "LeakyRelu", { x }, { alpha: attrs["leakyreluAlpha"] });
    case "prelu":
      return call(context, "Prelu", { x, alpha: input(inputs, "preluActivationWeights") });
    default:
      throw new EngineError(
        `The wasm engine has no fused activation "${activation}": apply it after the layer, or use the native engine.`,
      );
  }
}
