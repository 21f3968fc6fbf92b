import { compile } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { layerNames } from "../model/model-layers.ts";
import { WeightsError } from "../weights-error.ts";

/** Where a SavedModel keeps notes for its user; TensorFlow leaves the folder alone. */
export const savedModelNotes = "assets.extra/convkit.json";

/**
 * Writes a model's prediction as a SavedModel for Python and TF Serving: signature `serving_default`, inputs and outputs named after
 * the model's layers, any batch. It takes a TensorFlow engine to write one. Errors name `file`, where the folder will be.
 */
export async function writeSavedModel(
  folder: string,
  model: tfl.LayersModel,
  { file = folder, notes }: { file?: string; notes?: object | undefined } = {},
): Promise<void> {
  if (tf.getBackend() !== "tensorflow") {
    throw new WeightsError(
      file,
      "",
      "a SavedModel is written by TensorFlow: use the engine gpu or native instead of wasm",
    );
  }
  const inputs = model.inputs.map(({ shape, name }) => {
    const sizes = shape.slice(1);
    if (sizes.includes(null))
      throw new WeightsError(
        file,
        `input "${name}"`,
        `expected sizes that are known, got [${sizes.map((size) => size ?? "any").join(", ")}]`,
      );
    // Two samples, so that the batch cannot be taken for a size of 1.
    return tf.zeros([2, ...(sizes as number[])]);
  });
  const predict = compile(
    (...batch: tf.Tensor[]) =>
      model.apply(batch.length === 1 ? batch[0]! : batch, { training: false }) as tf.Tensor | tf.Tensor[],
  );
  try {
    await predict.savedModel(folder, inputs, {
      inputs: layerNames(model.inputs).map(signatureName),
      outputs: layerNames(model.outputs).map(signatureName),
    });
    if (notes !== undefined) {
      const file = join(folder, savedModelNotes);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(notes));
    }
  } finally {
    await predict.dispose();
    tf.dispose(inputs);
  }
}

/** A tensor's name in the signature: Python gives these as arguments, so they must be words. */
export function signatureName(name: string): string {
  return name.replaceAll(/\W/g, "_");
}
