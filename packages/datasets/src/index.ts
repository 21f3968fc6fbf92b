export { fromArrays } from "./arrays.ts";
export type { ArrayData } from "./arrays.ts";
export { dataCache } from "./cache.ts";
export { readCifar, writeCifar } from "./cifar.ts";
export type { CifarImages, CifarOptions } from "./cifar.ts";
export { imagesIn } from "./class-folders.ts";
export { contactSheet } from "./contact-sheet.ts";
export type { ContactSheetOptions } from "./contact-sheet.ts";
export { csvImages } from "./csv.ts";
export type { CsvOptions } from "./csv.ts";
export { DataError } from "./data-error.ts";
export { dataSets, fetchData, verifyData } from "./data-sets.ts";
export type { DataSetName, NamedDataSet } from "./data-sets.ts";
export type { Batch, BatchOptions, Dataset, DataSplits, IndexedDataset, SkippedImage } from "./dataset.ts";
export { decodeImage, decodingFailure, imageExtensions } from "./decode.ts";
export type { DecodeOptions } from "./decode.ts";
export { download } from "./download.ts";
export type { DownloadOptions, DownloadProgress } from "./download.ts";
export { fromGenerator } from "./generator.ts";
export type { GeneratorData, Sample } from "./generator.ts";
export { readIdx } from "./idx.ts";
export type { IdxArray, IdxData } from "./idx.ts";
export type { SourceOptions } from "./idx-set.ts";
export { packagesSeenFrom } from "./installed-package.ts";
export type { PackageResolver } from "./installed-package.ts";
export { imageFiles } from "./image-files.ts";
export type { ImageOptions, LabelledFiles } from "./image-files.ts";
export { imageFolder } from "./image-folder.ts";
export type { ImageFolderOptions, Ranges } from "./image-folder.ts";
export { loadData } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { permutation, philox, uniformStream } from "./philox.ts";
export { resizeInto, resizeModes } from "./resize.ts";
export type { Pixels, Region, ResizeMode } from "./resize.ts";
export { batchCount } from "./source.ts";
export { splitOff } from "./split.ts";
export type { SplitOptions, SplitsOptions } from "./split.ts";
export { classCounts, pixelStatistics } from "./statistics.ts";
export type { PixelStatistics } from "./statistics.ts";
export { subset } from "./subset.ts";
export type { SubsetOptions, SubsetResult } from "./subset.ts";
export { writeImageFolder } from "./write-images.ts";
export type { WriteImagesOptions } from "./write-images.ts";
export { affineTransform, rotate, translate, zoom } from "./augment/affine.ts";
export type { AffineOptions, FillMode } from "./augment/affine.ts";
export { augmentations } from "./augment/augmentation.ts";
export type { Augmentation, Factor, ValueRange } from "./augment/augmentation.ts";
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  randomBrightness,
  randomContrast,
  randomHue,
  randomSaturation,
} from "./augment/colour.ts";
export type { ColourOptions } from "./augment/colour.ts";
export { randomErasing } from "./augment/erase.ts";
export type { ErasingOptions } from "./augment/erase.ts";
export { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./augment/geometric.ts";
export type { CropOptions, FlipMode, ZoomOptions } from "./augment/geometric.ts";
export {
  RandAugment,
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomErasing,
  RandomFlip,
  RandomHue,
  RandomRotation,
  RandomSaturation,
  RandomTranslation,
  RandomZoom,
  registerAugmentationLayers,
} from "./augment/layers.ts";
export { cutmix, mixup, smoothLabels } from "./augment/mix.ts";
export type { Mixed, Mixing } from "./augment/mix.ts";
export { randAugment, randAugmentOps } from "./augment/rand-augment.ts";
export type { RandAugmentOptions } from "./augment/rand-augment.ts";
export { layersRandom, seededRandom } from "./augment/random-source.ts";
export type { RandomSource } from "./augment/random-source.ts";
export { augmentationFrom } from "./augment/specification.ts";
export type { AugmentationSpec } from "./augment/specification.ts";
