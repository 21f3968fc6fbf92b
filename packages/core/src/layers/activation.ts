import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { checkActivation } from "./check-values.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";

/** Names of tfjs-layers' activations, and of two more: see `hardSwish` and `hardSigmoid`. */
export type ActivationName =
  | NonNullable<Parameters<typeof tfl.layers.dense>[0]["activation"]>
  | "hardSwish"
  | "hardSigmoidOfThree";

/** A name as tfjs-layers' types have it, which do not know registered activations. */
export function tfjsName(kind: ActivationName): Exclude<ActivationName, "hardSwish" | "hardSigmoidOfThree"> {
  return kind as Exclude<ActivationName, "hardSwish" | "hardSigmoidOfThree">;
}

/** Applies a function to each element: shape unchanged. */
export function activation(kind: ActivationName): ShapedBlock<Unchanged> {
  checkActivation("activation", kind);
  return layer((name) => tfjs.activation({ name, activation: tfjsName(kind) }), "activation");
}

/** `max(0, x)`. */
export function relu(): ShapedBlock<Unchanged> {
  return activation("relu");
}

/** `min(max(0, x), 6)`, as a layer of class ReLU. Howard et al. 2017, https://arxiv.org/abs/1704.04861 */
export function relu6(): ShapedBlock<Unchanged> {
  return layer((name) => tfjs.reLU({ name, maxValue: 6 }), "re_lu");
}

/** `x min(max(x + 3, 0), 6) / 6`: a swish without an exponential. Howard et al. 2019, https://arxiv.org/abs/1905.02244 */
export function hardSwish(): ShapedBlock<Unchanged> {
  return activation("hardSwish");
}

/** `min(max(x + 3, 0), 6) / 6`, as in PyTorch and Keras 3; `activation("hardSigmoid")` is Keras 2's `0.2 x + 0.5`, clipped. */
export function hardSigmoid(): ShapedBlock<Unchanged> {
  return activation("hardSigmoidOfThree");
}
