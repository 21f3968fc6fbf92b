import type { layers, LayersModel } from "@tensorflow/tfjs-layers";
import { isModel } from "./named-weights.ts";

/**
 * Runs `fn`, which applies the model in training. Every frozen batch normalization computes as in prediction: it uses
 * its moving statistics and leaves them unchanged. Keras 2 and later do this for `trainable = false`; tfjs' own layer
 * does not. The layers are restored when `fn` returns.
 */
export function withFrozenNorms<T>(model: LayersModel, fn: () => T): T {
  const norms = frozenNorms(model, false);
  for (const norm of norms) {
    const call = norm.call.bind(norm);
    norm.call = (inputs, options) => call(inputs, { ...options, training: false });
  }
  try {
    return fn();
  } finally {
    // Deleting the own property makes the class's method visible again.
    for (const norm of norms) delete (norm as Partial<layers.Layer>).call;
  }
}

function frozenNorms(model: LayersModel, isFrozen: boolean): layers.Layer[] {
  return model.layers.flatMap((layer) => {
    const frozen = isFrozen || !layer.trainable;
    if (isModel(layer)) return frozenNorms(layer, frozen);
    return frozen && layer.getClassName() === "BatchNormalization" ? [layer] : [];
  });
}
