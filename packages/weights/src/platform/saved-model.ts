import type { ModelMetadata } from "@convkit/core";
import { GraphError, compile } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { metadataBeside, metadataFile, signatureNames } from "../formats/saved-model.ts";
import { metadataText } from "../model/metadata-json.ts";
import { runModel } from "../model/run-model.ts";
import { WeightsError } from "../weights-error.ts";
import { diskFolder } from "./disk.ts";

/**
 * What `saveModel` wrote beside a SavedModel in a folder; `{}` if another program wrote the model. Throws a `WeightsError` for
 * invalid metadata.
 */
export function savedModelMetadata(folder: string): ModelMetadata {
  return metadataBeside(diskFolder(folder));
}

/**
 * Writes a model's prediction as a SavedModel for Python and TF Serving: signature `serving_default`, inputs and
 * outputs named after the model's layers, any batch size. Needs a TensorFlow engine. Errors name `file`, the final
 * path of the folder.
 */
export async function writeSavedModel(
  folder: string,
  model: tfl.LayersModel,
  { file = folder, metadata = {} }: { readonly file?: string; readonly metadata?: ModelMetadata } = {},
): Promise<void> {
  if (tf.getBackend() !== "tensorflow") {
    throw new WeightsError(
      file,
      "",
      "a SavedModel is written by TensorFlow: use the engine gpu or native instead of wasm",
    );
  }
  const inputs = model.inputs.map(({ shape, name, dtype }) => {
    const sizes = shape.slice(1);
    if (sizes.includes(null))
      throw new WeightsError(
        file,
        `input "${name}"`,
        `expected sizes that are known, got [${sizes.map((size) => size ?? "any").join(", ")}]`,
      );
    return tf.zeros([1, ...(sizes as number[])], dtype);
  });
  const predict = compile((...batch: tf.Tensor[]) => runModel(model, batch));
  try {
    await predict.savedModel(folder, inputs, {
      inputs: signatureNames(model.inputs),
      outputs: signatureNames(model.outputs),
      anyBatch: true,
    });
    const text = metadataText(metadata);
    if (text !== undefined) {
      const path = join(folder, metadataFile);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  } catch (error) {
    if (error instanceof GraphError)
      throw new WeightsError(file, `model "${model.name}"`, error.message.replace(/\.$/, ""));
    throw error;
  } finally {
    await predict.dispose();
    tf.dispose(inputs);
  }
}
