import * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import { checkActivation } from "./check-values.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";

/** Names of tfjs-layers' activations. */
export type ActivationName = NonNullable<Parameters<typeof tfl.layers.dense>[0]["activation"]>;

/** Applies a function to each element: shape unchanged. */
export function activation(kind: ActivationName): ShapedBlock<Unchanged> {
  checkActivation("activation", kind);
  return layer((name) => tfl.layers.activation({ name, activation: kind }), "activation");
}

/** `max(0, x)`. */
export function relu(): ShapedBlock<Unchanged> {
  return activation("relu");
}

/** `min(max(0, x), 6)`, as a layer of class ReLU. Howard et al. 2017, https://arxiv.org/abs/1704.04861 */
export function relu6(): ShapedBlock<Unchanged> {
  return layer((name) => tfl.layers.reLU({ name, maxValue: 6 }), "re_lu");
}
