import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { Dropout } from "../layers/dropout.ts";

/**
 * The variables from which a model's layers draw random numbers while they train, those of nested models included. They are no
 * weights: a checkpoint that is to go on with the same numbers keeps them beside the weights.
 */
export function randomStreams(model: tfl.LayersModel): tf.Variable[] {
  const streams = model.layers.flatMap((layer) => {
    if ("layers" in layer) return randomStreams(layer as unknown as tfl.LayersModel);
    return layer instanceof Dropout && layer.stream !== undefined ? [layer.stream] : [];
  });
  return [...new Set(streams)];
}
