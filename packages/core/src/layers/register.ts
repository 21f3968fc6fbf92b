import { registerClasses } from "../tfjs/register-classes.ts";
import { AdaptiveAveragePooling2D } from "./pooling/adaptive-average-pooling2d.ts";
import { BatchNormalization } from "./normalization/batch-norm.ts";
import { DropBlock2D } from "./drop-block.ts";
import { Dropout } from "./dropout.ts";
import { GlobalAveragePooling2D } from "./pooling/global-average-pooling2d.ts";
import { registerHardActivations } from "./hard-activations.ts";
import { GroupNormalization } from "./normalization/group-norm.ts";
import { Conv2D } from "./convolution/conv2d.ts";
import { LayerScale } from "./layer-scale.ts";
import { LocalResponseNormalization } from "./normalization/local-response-norm.ts";
import { Normalization } from "./normalization/input-normalization.ts";
import { PadChannels } from "./pad-channels.ts";
import { ShuffleChannels, SliceChannels } from "./channels.ts";
import { PaddedPooling2D } from "./pooling/padded-pooling2d.ts";
import { CustomScaleLayer } from "./scaled-add.ts";
import { SeparableConv2D } from "./convolution/separable-conv2d.ts";

/**
 * Lets tfjs create this package's layers from saved configurations; call it before loading a model. A layer that
 * replaces a tfjs layer has the same class name, so every model loaded later gets our layer. A user's class that is
 * registered under one of our names is kept. `build` registers the layers of its model only; calling this again is harmless.
 */
export function registerLayers(): void {
  registerHardActivations();
  registerClasses([
    AdaptiveAveragePooling2D,
    BatchNormalization,
    Conv2D,
    CustomScaleLayer,
    DropBlock2D,
    Dropout,
    GlobalAveragePooling2D,
    GroupNormalization,
    LayerScale,
    LocalResponseNormalization,
    Normalization,
    PadChannels,
    PaddedPooling2D,
    SeparableConv2D,
    ShuffleChannels,
    SliceChannels,
  ]);
}
