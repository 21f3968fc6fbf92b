import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { Feed, Values } from "@convkit/graph";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { openModel, openOnnxFile, type OpenedModel } from "./open-model.ts";
import { PredictError } from "./predict-error.ts";
import { predictorOptionNames, type PredictorDescription, type PredictorOptions } from "./predictor-options.ts";
import { runtimeNames } from "./runtimes/runtime.ts";

/** A model that is ready to predict. */
export interface Predictor {
  /** `[n, h, w, c] -> [n, …]`: the model's first output in inference mode. Calls may overlap. */
  predict(images: Feed): Promise<Values>;
  /** `predict` for models of several inputs or outputs: one feed an input, in the model's order; all outputs. */
  predictAll(inputs: readonly Feed[]): Promise<Values[]>;
  /** How it computes; `undefined` before the first prediction. */
  describe(): PredictorDescription | undefined;
  /** Waits for the predictions on their way and frees what was opened or compiled, but not the model. */
  dispose(): Promise<void>;
}

/**
 * Makes a model ready to predict: a tfjs layers model, the path of an `.onnx` file, or its bytes. The model is opened, or compiled,
 * at the first prediction; any batch size may follow.
 *
 * Throws `OptionError` for unknown options. A prediction rejects with a `PredictError` where the runtime is not installed, cannot run
 * the model, or does not give the model's own numbers.
 */
export function predictor(model: LayersModel | string | Uint8Array, options: PredictorOptions = {}): Predictor {
  checkOptions("predictor", options, predictorOptionNames);
  const { runtime, precision, threads } = options;
  if (runtime !== undefined && runtime !== "auto" && !runtimeNames.includes(runtime)) {
    throw new OptionError(`predictor: expected runtime to be auto, ${runtimeNames.join(", ")}, got ${shown(runtime)}.`);
  }
  if (precision !== undefined && precision !== "float32" && precision !== "bfloat16") {
    throw new OptionError(`predictor: expected precision to be float32 or bfloat16, got ${shown(precision)}.`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new OptionError(`predictor: expected threads to be a whole number from 1, got ${shown(threads)}.`);
  }
  const isFile = typeof model === "string" || model instanceof Uint8Array;
  if (!isFile && typeof model?.apply !== "function") {
    throw new OptionError(`predictor: expected a model, the path of an .onnx file or its bytes, got ${shown(model)}.`);
  }
  let opening: Promise<OpenedModel> | undefined;
  let opened: OpenedModel | undefined;
  let disposing: Promise<void> | undefined;

  async function run(inputs: readonly Feed[]): Promise<Values[]> {
    if (disposing !== undefined) throw new PredictError("The predictor is disposed of already.");
    inputs.forEach(checkFeed);
    const isFirst = opening === undefined;
    opening ??= (isFile ? openOnnxFile(model, options, inputs) : openModel(model, options, inputs)).catch(
      (error: unknown) => {
        opening = undefined;
        throw error;
      },
    );
    try {
      opened = await opening;
    } catch (error) {
      // The inputs of the call that opened may be wrong, and these right.
      if (isFirst || !(error instanceof OptionError)) throw error;
      return run(inputs);
    }
    return opened.run(inputs);
  }

  async function close(): Promise<void> {
    await (await opening?.catch(() => undefined))?.dispose();
  }

  return {
    async predict(images) {
      const [output] = await run([images]);
      return output!;
    },
    predictAll: run,
    describe: () => opened?.description,
    dispose: () => (disposing ??= close()),
  };
}

function checkFeed(feed: Feed, index: number): void {
  const { data, shape } = (feed ?? {}) as Partial<Feed>;
  const isFeed = ArrayBuffer.isView(data) && Array.isArray(shape) && shape.every((size) => Number.isInteger(size));
  if (isFeed && (data as Float32Array).length === shape.reduce((product, size) => product * size, 1)) return;
  const got = isFeed ? `${(data as Float32Array).length} values for the shape ${shape.join("x")}` : shown(feed);
  throw new OptionError(
    `predict: expected { data, shape } with as many values as the shape has, got ${got} (input ${index}).`,
  );
}
