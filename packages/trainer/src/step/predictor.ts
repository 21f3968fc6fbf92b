import { preprocess, type Preprocessing } from "@convkit/core";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { executable, type ExecutionOptions, type Feed, type Values } from "./executable.ts";

export interface PredictorOptions {
  /** What the model expects of pixels from 0 to 255; without it they are fed as they are. */
  readonly preprocessing?: Preprocessing;
  readonly execution?: ExecutionOptions;
}

/** A model ready to be asked again and again; the weights may go on changing. */
export interface Predictor {
  /** `[n, h, w, c] -> [n, …]`, the model's first output. */
  predict(images: Feed): Promise<Values>;
  dispose(): Promise<void>;
}

/** Compiles a model's forward pass; each batch size is a graph of its own. */
export function predictor(model: LayersModel, options: PredictorOptions = {}): Predictor {
  const { preprocessing, execution } = options;
  const forward = executable((images) => {
    const pixels = preprocessing === undefined ? images! : preprocess(images as tf.Tensor4D, preprocessing);
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
