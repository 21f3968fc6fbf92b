import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/**
 * The variables from which a model's layers draw random numbers in training, including nested models. They are not
 * weights: to resume with the same numbers, a checkpoint must store them as well.
 */
export function randomStreams(model: tfl.LayersModel): tf.Variable[] {
  const streams = model.layers.flatMap((layer) => {
    if ("layers" in layer) return randomStreams(layer as unknown as tfl.LayersModel);
    // The streams of Dropout, and of the random layers of @convkit/augment, which this package does not import.
    return "stream" in layer && layer.stream instanceof tf.Variable ? [layer.stream] : [];
  });
  return [...new Set(streams)];
}
