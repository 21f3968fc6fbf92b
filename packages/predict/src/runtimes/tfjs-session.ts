import { preprocess, type Preprocessing } from "@convkit/core";
import { executable, type ExecutionOptions } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import type { Session } from "./session.ts";

/**
 * Runs a model on the engine in use: one compiled graph a batch size on the TensorFlow engines, op by op on the wasm engine. The
 * weights are those at the time of each call. The preprocessing is part of the graph.
 */
export function openTfjs(
  model: LayersModel,
  { preprocessing = {}, ...execution }: ExecutionOptions & { readonly preprocessing?: Preprocessing | undefined },
): Session {
  const isRaw = Object.keys(preprocessing).length === 0;
  const forward = executable((...images) => {
    const inputs = isRaw ? images : images.map((each) => preprocess(each as tf.Tensor4D, preprocessing));
    return [model.apply(inputs.length === 1 ? inputs[0]! : inputs, { training: false })].flat() as tf.Tensor[];
  }, execution);
  const ports = (tensors: LayersModel["inputs"]) =>
    tensors.map(({ name, shape, dtype }) => ({ name, shape, type: dtype }));
  return {
    inputs: ports(model.inputs),
    outputs: ports(model.outputs),
    run: (feeds) => forward.run(feeds),
    dispose: () => forward.dispose(),
  };
}
