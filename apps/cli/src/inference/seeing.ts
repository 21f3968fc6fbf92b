import { preprocess, type Preprocessing } from "@convkit/core";
import {
  featureMaps,
  filters,
  gradCam,
  integratedGradients,
  measuredReceptiveField,
  saliency,
  type Attribution,
  type ClassActivation,
  type FeatureMap,
  type Filters,
  type IntegratedGradients,
  type MeasuredReceptiveField,
} from "@convkit/inspect";
import { decodePredictions } from "@convkit/predict";
import { endsInLogits } from "@convkit/predict/internal";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Prediction } from "./classify.ts";

/** What a network sees in an image. */
export interface Seen {
  /** The image as the network takes it, after its preprocessing: `[h, w, c]`. */
  readonly input: { readonly shape: readonly [number, number, number]; readonly values: Float32Array };
  /** The pixels that were decoded: `[h, w, c]`. */
  readonly pixels: { readonly shape: readonly [number, number, number]; readonly values: Uint8Array };
  readonly predictions: readonly Prediction[];
  /** Grad-CAM of each of the predictions. */
  readonly activations: readonly ClassActivation[];
  readonly gradients: IntegratedGradients;
  readonly saliency: Attribution;
  readonly maps: readonly FeatureMap[];
  readonly filters: Filters | undefined;
  readonly field: MeasuredReceptiveField;
}

/** Computes everything that the page of an image shows. `tell` hears what is being computed. */
export async function seeing(
  model: LayersModel,
  image: { readonly data: Uint8Array; readonly shape: readonly [number, number, 1 | 3] },
  preprocessing: Preprocessing,
  options: {
    readonly classes: readonly string[];
    readonly layer?: string | undefined;
    readonly top: number;
    readonly steps: number;
    readonly tell: (what: string) => void;
  },
): Promise<Seen> {
  const { classes, layer, top, steps, tell } = options;
  const x = tf.tidy(() => preprocess(tf.tensor4d(image.data, [1, ...image.shape], "float32"), preprocessing));
  try {
    const scores = tf.tidy(() => [model.predict(x)].flat()[0]!);
    const data = (await scores.data()) as Float32Array;
    scores.dispose();
    const [ranked = []] = decodePredictions(
      { data, shape: [1, data.length] },
      { top, classes, logits: endsInLogits(model) },
    );
    const predictions = ranked.map(({ index, label, probability }) => ({ index, label, probability }));
    tell("Grad-CAM");
    const activations: ClassActivation[] = [];
    for (const { index } of predictions) activations.push(await gradCam(model, x, { class: index, layer }));
    const best = { class: predictions[0]!.index };
    tell("Integrated gradients");
    const gradients = await integratedGradients(model, x, { ...best, steps, batch: 4 });
    tell("Saliency");
    const smooth = await saliency(model, x, { ...best, samples: 8 });
    tell("Feature maps and receptive field");
    const own = ownLayer(model, activations[0]!.layer);
    const field = await measuredReceptiveField(model, { layer: own, images: x });
    if (own === undefined)
      tell(
        `The receptive field is that of ${field.layer}, since ${activations[0]!.layer} of Grad-CAM lies in a nested model`,
      );
    return {
      input: { shape: image.shape, values: (await x.data()) as Float32Array },
      pixels: { shape: image.shape, values: image.data },
      predictions,
      activations,
      gradients,
      saliency: smooth,
      maps: await featureMaps(model, x),
      filters: await filters(model).catch(() => undefined),
      field,
    };
  } finally {
    x.dispose();
  }
}

/** The layer, if it is the model's own and not one of a nested model. */
function ownLayer(model: LayersModel, path: string): string | undefined {
  return model.layers.some(({ name }) => name === path) ? path : undefined;
}
