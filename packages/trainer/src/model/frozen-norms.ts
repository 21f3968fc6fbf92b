import type { layers, LayersModel } from "@tensorflow/tfjs-layers";
import { isModel } from "./named-weights.ts";

/**
 * Runs `fn`, which applies the model in training, with every frozen batch normalization computing as in prediction: by its
 * moving statistics, which stay as they are. Keras 2 and later mean this by `trainable = false`; tfjs' own layer does not. Each
 * layer is as it was when `fn` returns.
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
    // The own property goes, and the class' method is there again.
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
