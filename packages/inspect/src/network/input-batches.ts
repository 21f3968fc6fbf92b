import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { imageBatch } from "./image-input.ts";
import type { Images } from "./image-input.ts";

/** What a network takes: images, or a batch `[n, ...]` for each of its inputs, in its order. */
export type Inputs = Images | tf.Tensor | readonly tf.Tensor[];

/** A batch for each input of the model, which the caller disposes. Throws an `OptionError` where they do not fit. */
export function inputBatches(where: string, model: tfl.LayersModel, given: Inputs): tf.Tensor[] {
  const batches = [given].flat() as unknown[];
  const wanted = model.inputs.map(({ shape }) => shape);
  if (wanted.length === 1 && wanted[0]?.length === 4 && batches.length === 1)
    return [imageBatch(where, model, batches[0] as Images)];
  const shapes = batches.map((batch) => (batch instanceof tf.Tensor ? batch.shape : batch));
  const [count] = (shapes[0] ?? []) as number[];
  const fits =
    batches.length === wanted.length &&
    batches.every(
      (batch, i) =>
        batch instanceof tf.Tensor &&
        batch.rank === wanted[i]?.length &&
        batch.size > 0 &&
        batch.shape[0] === count &&
        wanted[i].every((size, axis) => size === null || size === batch.shape[axis]),
    );
  if (!fits) {
    throw new OptionError(
      `${where}: expected a batch for each input of ${model.name}, all of one size: ${shown(wanted)}, got ${shown(shapes)}.`,
    );
  }
  return tf.tidy(() => (batches as tf.Tensor[]).map((batch) => tf.clone(batch)));
}
