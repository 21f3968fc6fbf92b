export { fromArrays } from "./dataset/from-arrays.ts";
export type { ArrayData } from "./dataset/from-arrays.ts";
export { dataCache } from "./storage/cache.ts";
export { readCifar, writeCifar } from "./formats/cifar.ts";
export type { CifarImages, CifarOptions } from "./formats/cifar.ts";
export { imagesIn } from "./folders/class-folders.ts";
export { contactSheet } from "./dataset/contact-sheet.ts";
export type { ContactSheetOptions } from "./dataset/contact-sheet.ts";
export { csvImages } from "./folders/csv-images.ts";
export type { CsvOptions } from "./folders/csv-images.ts";
export type { CsvColumns, CsvTarget } from "./folders/csv-targets.ts";
export { DataError } from "./data-error.ts";
export { dataSets, fetchData, verifyData } from "./published/registry.ts";
export type { DataSetName, NamedDataSet } from "./published/registry.ts";
export { hasKnownSize } from "./dataset/dataset.ts";
export type {
  Batch,
  BatchOptions,
  Dataset,
  DataSplits,
  Decoding,
  IndexedDataset,
  SkippedImage,
  Target,
  TargetValues,
} from "./dataset/dataset.ts";
export type { InputData, TargetData } from "./dataset/targets.ts";
export { decodeImage, decodingFailure } from "./images/decode.ts";
export type { DecodedCache } from "./images/decoded-cache.ts";
export { imageExtensions } from "./images/image-format.ts";
export type { DecodeOptions } from "./images/decode-options.ts";
export { download } from "./storage/download.ts";
export type { DownloadOptions, DownloadProgress } from "./storage/download.ts";
export { fromGenerator } from "./dataset/from-generator.ts";
export type { GeneratedTarget, GeneratorData, Sample } from "./dataset/from-generator.ts";
export { maskFolder } from "./masks/mask-folder.ts";
export type { MaskFolderOptions } from "./masks/mask-folder.ts";
export type { MaskMeaning, MaskOptions } from "./masks/mask-files.ts";
export { matchClasses } from "./dataset/match-classes.ts";
export { readIdx } from "./formats/idx.ts";
export type { IdxArray, IdxData } from "./formats/idx.ts";
export type { SourceOptions } from "./published/idx-set.ts";
export { packagesSeenFrom } from "./storage/installed-package.ts";
export type { PackageResolver } from "./storage/installed-package.ts";
export { imageFiles } from "./folders/image-files.ts";
export type { ImageOptions, LabelledFiles } from "./folders/image-files.ts";
export { imageFolder } from "./folders/image-folder.ts";
export type { ImageFolderOptions, Ranges } from "./folders/image-folder.ts";
export { loadData } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { resizeInto, resizeModes } from "./images/resize/resize.ts";
export type { Pixels, Region, ResizeMode } from "./images/resize/resize.ts";
export { isShardPattern } from "./records/shard-files.ts";
export { imageShards } from "./records/shards.ts";
export type { ShardOptions } from "./records/shards.ts";
export { shardSamples } from "./records/tar-samples.ts";
export type { EntrySample, ShardSample } from "./records/tar-samples.ts";
export { writeShards } from "./records/write-shards.ts";
export type { WriteShardsOptions, WrittenShards } from "./records/write-shards.ts";
export { batchCount } from "./dataset/indexed-dataset.ts";
export { splitFolds } from "./dataset/folds.ts";
export { splitOff } from "./dataset/split.ts";
export type { SplitOptions, SplitsOptions } from "./dataset/split.ts";
export { classCounts, pixelStatistics } from "./dataset/statistics.ts";
export type { PixelStatistics } from "./dataset/statistics.ts";
export { subset } from "./folders/subset.ts";
export type { SubsetOptions, SubsetResult } from "./folders/subset.ts";
export { writeImageFolder } from "./dataset/write-images.ts";
export type { WriteImagesOptions } from "./dataset/write-images.ts";
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
