import { modelMetadata, preprocess, type Preprocessing } from "@convkit/core";
import { checkOptions, type OptionNames } from "@convkit/errors";
import { executable, type ExecutionOptions, type Feed, type Values } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** Options of `predictor`. */
export interface PredictorOptions {
  /**
   * Preprocessing of pixels from 0 to 255; by default as the model's metadata says, else the model gets the pixels unchanged.
   * `rawPixels` leaves them unchanged.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /** Precision, threads and determinism of the compiled prediction; `eager: true` runs it op by op. */
  readonly execution?: ExecutionOptions | undefined;
}

const optionNames: OptionNames<PredictorOptions> = { preprocessing: true, execution: true };

/** A model that is ready to predict. */
export interface Predictor {
  /** `[n, h, w, c] -> [n, …]`: the model's first output in inference mode. */
  predict(images: Feed): Promise<Values>;
  /** Frees the compiled functions, but not the model. */
  dispose(): Promise<void>;
}

/**
 * Compiles a model's forward pass, once for each batch size. Predictions use the weights as they are at the time of
 * the call. Throws `OptionError` for unknown options.
 */
export function predictor(model: LayersModel, options: PredictorOptions = {}): Predictor {
  checkOptions("predictor", options, optionNames);
  const { preprocessing = modelMetadata(model).preprocessing, execution } = options;
  const isRaw = preprocessing === undefined || Object.keys(preprocessing).length === 0;
  const forward = executable((images) => {
    const pixels = isRaw ? images! : preprocess(images as tf.Tensor4D, preprocessing);
    return [[model.apply(pixels, { training: false })].flat()[0] as tf.Tensor];
  }, execution);
  return {
    async predict(images) {
      const [output] = await forward.run([images]);
      return output!;
    },
    dispose: () => forward.dispose(),
  };
}
