export { augmentationFrom } from "./augmentation-spec.ts";
export type { AugmentationSpec } from "./augmentation-spec.ts";
export { augmentations } from "./augmentation.ts";
export type { Augmentation, Factor, ValueRange } from "./augmentation.ts";
export { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./color/adjust-color.ts";
export type { ColorOptions } from "./color/adjust-color.ts";
export { randomBrightness, randomContrast, randomHue, randomSaturation } from "./color/random-color.ts";
export { affineTransform, rotate, translate, zoom } from "./geometry/affine.ts";
export type { AffineOptions, FillMode, Interpolation } from "./geometry/affine-options.ts";
export { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometry/random-geometry.ts";
export type { CropOptions, FlipMode, ZoomOptions } from "./geometry/random-geometry.ts";
export { AugmentationLayer } from "./layers/augmentation-layer.ts";
export { RandomBrightness, RandomContrast, RandomHue, RandomSaturation } from "./layers/color-layers.ts";
export type { ColorLayerArgs } from "./layers/color-layers.ts";
export { RandomErasing } from "./layers/erasing-layer.ts";
export type { RandomErasingArgs } from "./layers/erasing-layer.ts";
export {
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
} from "./layers/geometry-layers.ts";
export type {
  RandomCropArgs,
  RandomFlipArgs,
  RandomRotationArgs,
  RandomShearArgs,
  RandomTranslationArgs,
  RandomZoomArgs,
} from "./layers/geometry-layers.ts";
export type { KerasFactor, MoveArgs, RandomLayerArgs } from "./layers/keras-arguments.ts";
export { KerasOnlyAugmentation } from "./layers/keras-only-augmentation.ts";
export type { KerasOnlyAugmentationArgs } from "./layers/keras-only-augmentation.ts";
export { RandAugment } from "./layers/rand-augment-layer.ts";
export type { RandAugmentArgs } from "./layers/rand-augment-layer.ts";
export { registerAugmentationLayers } from "./layers/register.ts";
export { maskAugmentationFrom } from "./mask-augmentation.ts";
export type { MaskAugmentation, MaskAugmentationOptions, MaskedImages } from "./mask-augmentation.ts";
export { cutmix, mixup, smoothLabels } from "./mix/mixing.ts";
export type { Mixed, Mixing } from "./mix/mixing.ts";
export { augMix } from "./policies/aug-mix.ts";
export type { AugMixOptions } from "./policies/aug-mix.ts";
export { autoAugment } from "./policies/auto-augment.ts";
export type { AutoAugmentOptions, AutoAugmentPolicy } from "./policies/auto-augment.ts";
export { threeAugment } from "./policies/three-augment.ts";
export type { ThreeAugmentOptions } from "./policies/three-augment.ts";
export { trivialAugment } from "./policies/trivial-augment.ts";
export type { TrivialAugmentOptions } from "./policies/trivial-augment.ts";
export { randAugment, randAugmentOps } from "./rand-augment.ts";
export type { RandAugmentOptions } from "./rand-augment.ts";
export { randomErasing } from "./random-erasing.ts";
export type { ErasingOptions } from "./random-erasing.ts";
export { layersRandom, seededRandom } from "./random/random-source.ts";
export type { RandomSource } from "./random/random-source.ts";
