import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { weight } from "../formula.ts";

/** Sets a model's weights by the formula, from layer and role. Returns the numbers of parameters. */
export function setFormulaWeights(model: tfl.LayersModel, gain: number): { params: number; trainable: number } {
  let params = 0;
  for (const layer of model.layers) {
    const values = layer.weights.map(({ originalName, shape }) => {
      const role = originalName.split("/").at(-1)!;
      const sizes = shape as number[];
      params += sizes.reduce((size, n) => size * n, 1);
      return tf.tensor(weight(layer.name, role, sizes, gain), sizes);
    });
    if (values.length > 0) layer.setWeights(values);
    tf.dispose(values);
  }
  const trainable = model.trainableWeights.reduce(
    (sum, { shape }) => sum + (shape as number[]).reduce((size, n) => size * n, 1),
    0,
  );
  return { params, trainable };
}
