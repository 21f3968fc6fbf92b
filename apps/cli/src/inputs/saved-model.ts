import { existsSync } from "node:fs";
import { join } from "node:path";
import { preprocess } from "@convkit/core";
import type { ModelMetadata } from "@convkit/core";
import { type Feed, type LoadedSavedModel, loadSavedModel, type Values } from "@convkit/graph";
import type { Predictor } from "@convkit/predict";
import { savedModelMetadata } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "./use-engine.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { checkNoZooOptions, type ModelOptions } from "./model-options.ts";
import { withPreprocessing } from "./preprocessing-option.ts";
import { userPath } from "./user-path.ts";

/** A SavedModel with the methods of a predictor. */
export interface SavedNetwork extends Pick<Predictor, "predict" | "dispose"> {
  readonly loaded: LoadedSavedModel;
  /** Classes and preprocessing that `convkit convert` wrote; empty if another program wrote the folder. */
  readonly metadata: ModelMetadata;
  /** Preprocesses pixels from 0 to 255, then predicts. */
  classify(images: Feed): Promise<Values>;
  /** Shape of the input; null stands for any size. */
  readonly input: readonly (number | null)[];
}

/**
 * True if `<model>` is a SavedModel folder that is run as TensorFlow's graph. With an engine that has no TensorFlow, a
 * folder of Keras 2 is read as a model of layers.
 */
export async function runsAsGraph(context: Context, name: string): Promise<boolean> {
  if (!existsSync(join(userPath(name), "saved_model.pb"))) return false;
  return !hasLayers(name) || (await engineInUse(context)).backend === "tensorflow";
}

/** True if Keras 2 saved the layers into a SavedModel folder. */
export function hasLayers(name: string): boolean {
  return existsSync(join(userPath(name), "keras_metadata.pb"));
}

/** Loads a SavedModel with one input; needs an engine with TensorFlow. Only the first output is used. */
export async function openSavedModel(context: Context, name: string, options: ModelOptions): Promise<SavedNetwork> {
  checkNoZooOptions(name, options);
  const engine = await engineInUse(context);
  if (engine.backend !== "tensorflow")
    throw new UsageError(
      `A SavedModel needs TensorFlow, and the ${engine.name} engine has none: convkit engine install.`,
    );
  const loaded = await loadSavedModel(userPath(name));
  const [[inputName, input] = [], ...others] = Object.entries(loaded.signature.inputs);
  if (inputName === undefined || input === undefined || others.length > 0)
    throw new CliError(`${name} takes ${others.length + 1} tensors, and this command gives one.`);
  const channels = input.shape?.[3] ?? 3;
  const metadata = withPreprocessing(savedModelMetadata(userPath(name)), options.preprocessing, channels);
  const predict = async ({ data, shape }: Feed): Promise<Values> => {
    const pixels = input.dtype === "float32" ? Float32Array.from(data) : data;
    const [output] = Object.values(await loaded({ [inputName]: { data: pixels, shape } }));
    return { data: Float32Array.from(output!.data), shape: output!.shape };
  };
  return {
    loaded,
    metadata,
    input: (input.shape ?? []).map((size) => (size < 0 ? null : size)),
    predict,
    async classify({ data, shape }) {
      const prepared = tf.tidy(() => {
        const pixels = tf.tensor4d(Float32Array.from(data), shape as [number, number, number, number]);
        return preprocess(pixels, metadata.preprocessing ?? {});
      });
      const values = await prepared.data<"float32">();
      prepared.dispose();
      return predict({ data: values, shape });
    },
    dispose: () => loaded.dispose(),
  };
}

/** A SavedModel's signature and variables. */
export function savedSummary(name: string, { signature, signatures, variables }: LoadedSavedModel) {
  const rows = variables.map(({ name: variable, dtype, shape }) => ({ name: variable, dtype, shape }));
  const total = rows.reduce((sum, { shape = [] }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return { name, params: { total }, signature, signatures, variables: rows };
}

export type SavedSummary = ReturnType<typeof savedSummary>;
