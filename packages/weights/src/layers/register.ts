import { registerLayers } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import { registerActivations } from "./activations.ts";
import { RandomAugmentation } from "./augmentation.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D } from "./resize.ts";
import { GlobalMaxPooling2DKeepdims, Identity, Power, ScaledELU, SpatialDropout2D, Subtract } from "./simple-layers.ts";

/** Lets tfjs make every layer that an imported model may have; call it before `tf.loadLayersModel` on one that was saved again. */
export function registerImportLayers(): void {
  registerLayers();
  registerActivations();
  for (const layer of [
    CroppedCentre,
    GlobalMaxPooling2DKeepdims,
    Identity,
    Power,
    RandomAugmentation,
    ResizedTo,
    ScaledELU,
    ScaledUp2D,
    SpatialDropout2D,
    Subtract,
  ]) {
    tf.serialization.registerClass(layer as never);
  }
}
