import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/**
 * The variables from which a model's layers draw random numbers while they train, those of nested models included. They are no
 * weights: a checkpoint that is to go on with the same numbers keeps them beside the weights.
 */
export function randomStreams(model: tfl.LayersModel): tf.Variable[] {
  const streams = model.layers.flatMap((layer) => {
    if ("layers" in layer) return randomStreams(layer as unknown as tfl.LayersModel);
    // Dropout's, and those of the random layers of @convkit/augment, which this package does not know.
    return "stream" in layer && layer.stream instanceof tf.Variable ? [layer.stream] : [];
  });
  return [...new Set(streams)];
}
