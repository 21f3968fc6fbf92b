import * as tf from "@tensorflow/tfjs-core";
import { RandomBrightness, RandomContrast, RandomHue, RandomSaturation } from "./color-layers.ts";
import { RandomErasing } from "./erasing-layer.ts";
import {
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
} from "./geometry-layers.ts";
import { KerasOnlyAugmentation } from "./keras-only-augmentation.ts";
import { RandAugment } from "./rand-augment-layer.ts";
import { RandomAugmentation } from "./random-augmentation.ts";

/**
 * Registers this package's layer classes with tfjs, so that models with these layers can be loaded. Calling it again
 * changes nothing.
 */
export function registerAugmentationLayers(): void {
  for (const layer of [
    RandAugment,
    RandomAugmentation,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomHue,
    RandomRotation,
    RandomSaturation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
    KerasOnlyAugmentation,
  ]) {
    tf.serialization.registerClass(layer as never);
  }
}
