import { DataError } from "../data-error.ts";
import type { AffineOptions } from "./affine.ts";
import { augmentations } from "./augmentation.ts";
import type { Augmentation, Factor } from "./augmentation.ts";
import { randomBrightness, randomContrast, randomHue, randomSaturation } from "./colour.ts";
import { randomErasing } from "./erase.ts";
import type { ErasingOptions } from "./erase.ts";
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometric.ts";
import type { CropOptions, FlipMode, ZoomOptions } from "./geometric.ts";
import { randAugment } from "./rand-augment.ts";
import type { RandAugmentOptions } from "./rand-augment.ts";

/** Augmentation as plain data, for a recipe: made in the order of the keys. */
export interface AugmentationSpec {
  flip?: FlipMode;
  rotation?: Factor | ({ factor: Factor } & AffineOptions);
  zoom?: Factor | ({ factor: Factor } & ZoomOptions);
  translation?: Factor | ({ factor: Factor; width?: Factor } & AffineOptions);
  crop?: { height: number; width: number } & CropOptions;
  brightness?: Factor;
  contrast?: Factor;
  hue?: Factor;
  saturation?: readonly [number, number];
  erasing?: ErasingOptions;
  randAugment?: RandAugmentOptions;
}

type Makers = { [Key in keyof AugmentationSpec]-?: (value: NonNullable<AugmentationSpec[Key]>) => Augmentation };

const makers: Makers = {
  flip: randomFlip,
  rotation: (value) => (isFactor(value) ? randomRotation(value) : randomRotation(value.factor, value)),
  zoom: (value) => (isFactor(value) ? randomZoom(value) : randomZoom(value.factor, value)),
  translation: (value) =>
    isFactor(value) ? randomTranslation(value) : randomTranslation(value.factor, value.width ?? value.factor, value),
  crop: ({ height, width, ...options }) => randomCrop(height, width, options),
  brightness: randomBrightness,
  contrast: randomContrast,
  hue: randomHue,
  saturation: randomSaturation,
  erasing: randomErasing,
  randAugment,
};

/** The augmentation that a recipe's data describes; a `DataError` lists the known keys. */
export function augmentationFrom(spec: AugmentationSpec): Augmentation {
  const steps = Object.entries(spec).map(([key, value]) => {
    if (!Object.hasOwn(makers, key)) {
      throw new DataError(`${key} is no augmentation; known are ${Object.keys(makers).join(", ")}`);
    }
    return (makers[key as keyof AugmentationSpec] as (value: unknown) => Augmentation)(value);
  });
  return augmentations(...steps);
}

/** Whatever is no object of options is taken for one, and refused there if it is none. */
function isFactor(value: Factor | object): value is Factor {
  return typeof value !== "object" || Array.isArray(value);
}
