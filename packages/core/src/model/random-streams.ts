import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { hashText } from "../init/random.ts";

/** A built layer that draws random numbers: Dropout, or a random layer of @convkit/augment. */
interface DrawingLayer {
  readonly stream: tf.Variable;
  /** The seed that the layer was made with. */
  readonly ownSeed: number | undefined;
}

/**
 * The variables from which a model's layers draw random numbers in training, including nested models. They are not
 * weights: to resume with the same numbers, a checkpoint must store them as well.
 */
export function randomStreams(model: tfl.LayersModel): tf.Variable[] {
  return drawingLayers(model).map(({ stream }) => stream);
}

/**
 * Starts the random numbers of a model's layers anew: from a layer's own seed, or from `seed` and the layer's place in
 * the model. Generated names would not do: they differ if the model is made twice in a process.
 */
export function seedRandomStreams(model: tfl.LayersModel, seed: number): void {
  for (const [place, { stream, ownSeed }] of drawingLayers(model).entries())
    tf.tidy(() => stream.assign(tf.tensor1d([ownSeed ?? hashText(`random/${place}`, seed) >>> 1, 0], "int32")));
}

function drawingLayers(model: tfl.LayersModel): DrawingLayer[] {
  const found = model.layers.flatMap((layer) => {
    if ("layers" in layer) return drawingLayers(layer as unknown as tfl.LayersModel);
    const drawing = layer as unknown as Partial<DrawingLayer>;
    return drawing.stream instanceof tf.Variable ? [drawing as DrawingLayer] : [];
  });
  return [...new Set(found)];
}
