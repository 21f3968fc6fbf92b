import type { TensorInfo } from "@tensorflow/tfjs-core";

import { call, input, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

const codes: Readonly<Record<string, number>> = { relu: 1, relu6: 2 };

/** The assembly's number of an activation that it applies itself; 0 for none and for the others. */
export function fusedCode(activation: unknown): number {
  return codes[activation as string] ?? 0;
}

/** Applies the activations that the assembly leaves: a fused kernel's last step. */
export function activate(y: TensorInfo, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const activation = attrs["activation"] ?? "linear";
  if (activation === "linear" || fusedCode(activation) !== 0) return y;
  const out = apply(activation as string, y, inputs, attrs, context);
  context.backend.disposeData(y.dataId);
  return out;
}

function apply(activation: string, x: TensorInfo, inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  switch (activation) {
    case "elu":
      return call(context, "Elu", { x });
    case "sigmoid":
      return call(context, "Sigmoid", { x });
    case "leakyrelu":
      return call(context, "LeakyRelu", { x }, { alpha: attrs["leakyreluAlpha"] });
    case "prelu":
      return call(context, "Prelu", { x, alpha: input(inputs, "preluActivationWeights") });
    default:
      throw new Error(
        `The wasm engine has no fused activation "${activation}": apply it after the layer, or use the native engine.`,
      );
  }
}
