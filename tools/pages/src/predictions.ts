import { setModelMetadata } from "@convkit/core";
import { classify, type Prediction, predictor, type PredictorOptions, type PredictorSource } from "@convkit/predict";
import type * as tfl from "@tensorflow/tfjs-layers";
import { smallNetwork } from "./small-network.ts";

/** A network of three classes that carries their names and what it expects of pixels. */
export function namedNetwork(): tfl.LayersModel {
  const model = smallNetwork();
  const preprocessing = { scale: 1 / 127.5, mean: [1, 0.9, 0.8], std: [1, 1.1, 1.2] };
  setModelMetadata(model, { classes: ["one", "two", "three"], preprocessing });
  return model;
}

/** What a predictor and a classifier give for two fixed images. */
export interface Predicted {
  readonly runtime: string;
  readonly scores: readonly number[];
  readonly features: readonly number[];
  /** The output of the layer `norm`. */
  readonly layer: readonly number[];
  readonly classes: readonly Prediction[][];
}

/** Predictions, features and classes of two images of 8x8 pixels. The numbers are the same wherever this runs. */
export async function predicted(source: PredictorSource, options: PredictorOptions = {}): Promise<Predicted> {
  const pixels = Uint8Array.from({ length: 2 * 192 }, (_, at) => (at * 131 + (at >> 5) * 17) % 256);
  const images = { data: pixels, shape: [2, 8, 8, 3] };
  const forward = predictor(source, options);
  try {
    const { runtime } = await forward.ready();
    const single = [0, 1].map((at) => ({ data: pixels.subarray(at * 192, (at + 1) * 192), shape: [8, 8, 3] }));
    return {
      runtime,
      scores: [...(await forward.predict(images)).data],
      features: [...(await forward.features(images)).data],
      layer: [...(await forward.features(images, { layer: "norm" })).data],
      classes: await classify(source, single, { top: 2, ...options }),
    };
  } finally {
    await forward.dispose();
  }
}
