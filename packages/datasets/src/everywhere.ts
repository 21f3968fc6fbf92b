/** What is the same in Node and in web pages. */
export { findLabelIssues } from "./audit/label-issues.ts";
export type { LabelIssue } from "./audit/label-issues.ts";
export { fromArrays } from "./dataset/from-arrays.ts";
export type { ArrayData } from "./dataset/from-arrays.ts";
export { DataError } from "./data-error.ts";
export { hasKnownSize } from "./dataset/dataset.ts";
export type {
  Batch,
  BatchOptions,
  Dataset,
  DataSplits,
  Decoding,
  IndexedDataset,
  Part,
  SkippedImage,
  Target,
  TargetValues,
} from "./dataset/dataset.ts";
export type { InputData, TargetData } from "./dataset/targets.ts";
export { imageExtensions } from "./images/image-format.ts";
export type { DecodeOptions } from "./images/decode-options.ts";
export { fromGenerator } from "./dataset/from-generator.ts";
export type { GeneratedTarget, GeneratorData, Sample } from "./dataset/from-generator.ts";
export { maskPixels } from "./dataset/mask-pixels.ts";
export { matchClasses } from "./dataset/match-classes.ts";
export { resizeInto, resizeModes } from "./images/resize/resize.ts";
export type { Pixels, Region, ResizeMode } from "./images/resize/resize.ts";
export { batchPart } from "./dataset/batch-part.ts";
export { batchCount } from "./dataset/indexed-dataset.ts";
export { splitFolds } from "./dataset/folds.ts";
export { splitOff } from "./dataset/split.ts";
export type { SplitOptions, SplitsOptions } from "./dataset/split.ts";
export { classCounts, pixelStatistics } from "./dataset/statistics.ts";
export type { PixelStatistics } from "./dataset/statistics.ts";
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  affineTransform,
  augmentationFrom,
  AugmentationLayer,
  augmentations,
  cutmix,
  KerasOnlyAugmentation,
  layersRandom,
  maskAugmentationFrom,
  mixup,
  RandAugment,
  randAugment,
  randAugmentOps,
  RandomBrightness,
  randomBrightness,
  RandomContrast,
  randomContrast,
  randomCrop,
  RandomCrop,
  RandomErasing,
  randomErasing,
  randomFlip,
  RandomFlip,
  randomHue,
  RandomHue,
  randomRotation,
  RandomRotation,
  randomSaturation,
  RandomSaturation,
  RandomShear,
  randomTranslation,
  RandomTranslation,
  randomZoom,
  RandomZoom,
  registerAugmentationLayers,
  rotate,
  seededRandom,
  smoothLabels,
  translate,
  zoom,
} from "@convkit/augment";
export type {
  AffineOptions,
  Augmentation,
  AugmentationSpec,
  ColorLayerArgs,
  ColorOptions,
  CropOptions,
  ErasingOptions,
  Factor,
  FillMode,
  FlipMode,
  Interpolation,
  KerasOnlyAugmentationArgs,
  MaskAugmentation,
  MaskAugmentationOptions,
  MaskedImages,
  Mixed,
  Mixing,
  RandAugmentArgs,
  RandAugmentOptions,
  RandomCropArgs,
  RandomErasingArgs,
  RandomFlipArgs,
  RandomRotationArgs,
  RandomShearArgs,
  RandomSource,
  RandomTranslationArgs,
  RandomZoomArgs,
  ValueRange,
  ZoomOptions,
} from "@convkit/augment";
