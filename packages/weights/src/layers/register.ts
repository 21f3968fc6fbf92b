import { registerAugmentationLayers } from "@convkit/augment";
import { registerLayers } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import { registerActivations } from "./activations.ts";
import { Concatenate } from "./concatenate.ts";
import { DilatedDepthwiseConv2D, SizedConv2DTranspose } from "./convolutions.ts";
import { Clipped, Sliced, Stacked } from "./slicing.ts";
import { AxesNormalization, LayerScale, UnitNormalization } from "./norms.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D } from "./resize.ts";
import {
  BentReLU,
  GlobalMaxPooling2DKeepdims,
  Identity,
  Power,
  ScaledELU,
  SoftmaxOver,
  SpatialDropout2D,
  Subtract,
} from "./base-layers.ts";

/** Lets tfjs make every layer that an imported model may have; call it before `tf.loadLayersModel` on one that was saved again. */
export function registerImportLayers(): void {
  registerLayers();
  registerAugmentationLayers();
  registerActivations();
  for (const layer of [
    AxesNormalization,
    BentReLU,
    Clipped,
    Concatenate,
    CroppedCentre,
    DilatedDepthwiseConv2D,
    GlobalMaxPooling2DKeepdims,
    Identity,
    LayerScale,
    Power,
    ResizedTo,
    ScaledELU,
    ScaledUp2D,
    SizedConv2DTranspose,
    Sliced,
    SoftmaxOver,
    SpatialDropout2D,
    Stacked,
    Subtract,
    UnitNormalization,
  ]) {
    tf.serialization.registerClass(layer as never);
  }
}
