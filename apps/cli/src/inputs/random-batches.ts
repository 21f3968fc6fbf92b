import { shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { CliError } from "../terminal/usage-error.ts";

/**
 * A batch for each input of a model: numbers from -1 to 1, and 0 for integers, which may be rows of a table. Images of any size
 * are 224 by 224, of any number of channels 3.
 */
export function randomBatches(name: string, { inputs }: LayersModel, count: number): tf.Tensor[] {
  const shapes = inputs.map(({ shape }) => {
    const sizes = shape.slice(1).map((size, axis) => size ?? (shape.length === 4 ? [224, 224, 3][axis]! : null));
    if (sizes.includes(null))
      throw new CliError(`${name} has an input of shape ${shown(shape)}: profile needs to know its sizes.`);
    return [count, ...(sizes as number[])];
  });
  return shapes.map((shape, i) =>
    inputs[i]!.dtype === "float32"
      ? tf.randomUniform(shape, -1, 1, "float32", i + 1)
      : tf.zeros(shape, inputs[i]!.dtype),
  );
}
