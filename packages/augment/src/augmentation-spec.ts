import { checkOptions, OptionError } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { augmentations } from "./augmentation.ts";
import type { Augmentation, Factor } from "./augmentation.ts";
import { randomBrightness, randomContrast, randomHue, randomSaturation } from "./color/random-color.ts";
import type { AffineOptions } from "./geometry/affine-options.ts";
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometry/random-geometry.ts";
import type { CropOptions, FlipMode, ZoomOptions } from "./geometry/random-geometry.ts";
import { randAugment } from "./rand-augment.ts";
import type { RandAugmentOptions } from "./rand-augment.ts";
import { randomErasing } from "./random-erasing.ts";
import type { ErasingOptions } from "./random-erasing.ts";

/** An augmentation as plain data, for a recipe or a file. The changes follow the order of the keys. */
export interface AugmentationSpec {
  readonly flip?: FlipMode | undefined;
  readonly rotation?: Factor | ({ readonly factor: Factor } & AffineOptions) | undefined;
  readonly zoom?: Factor | ({ readonly factor: Factor } & ZoomOptions) | undefined;
  readonly translation?:
    | Factor
    | ({ readonly factor: Factor; readonly width?: Factor | undefined } & AffineOptions)
    | undefined;
  readonly crop?: ({ readonly height: number; readonly width: number } & CropOptions) | undefined;
  readonly brightness?: Factor | undefined;
  readonly contrast?: Factor | undefined;
  readonly hue?: Factor | undefined;
  readonly saturation?: readonly [number, number] | undefined;
  readonly erasing?: ErasingOptions | undefined;
  readonly randAugment?: RandAugmentOptions | undefined;
}

type Makers = {
  readonly [Key in keyof AugmentationSpec]-?: (value: NonNullable<AugmentationSpec[Key]>) => Augmentation;
};

const makers: Makers = {
  flip: randomFlip,
  rotation(value) {
    if (isFactor(value)) return randomRotation(value);
    const { factor, ...options } = value;
    return randomRotation(factor, options);
  },
  zoom(value) {
    if (isFactor(value)) return randomZoom(value);
    const { factor, ...options } = value;
    return randomZoom(factor, options);
  },
  translation(value) {
    if (isFactor(value)) return randomTranslation(value);
    const { factor, width = factor, ...options } = value;
    return randomTranslation(factor, width, options);
  },
  crop({ height, width, ...options }) {
    return randomCrop(height, width, options);
  },
  brightness: (factor) => randomBrightness(factor),
  contrast: (factor) => randomContrast(factor),
  hue: (factor) => randomHue(factor),
  saturation: (factor) => randomSaturation(factor),
  erasing: randomErasing,
  randAugment,
};

const specNames = Object.fromEntries(Object.keys(makers).map((key) => [key, true])) as OptionNames<AugmentationSpec>;

/** Makes the augmentation that plain data describes. Throws an OptionError for unknown keys and invalid values. */
export function augmentationFrom(spec: AugmentationSpec): Augmentation {
  checkOptions("augmentationFrom", spec, specNames);
  const parts = Object.entries(spec).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (value === null) throw new OptionError(`augmentationFrom: expected a value as ${key}, got null.`);
    return [(makers[key as keyof AugmentationSpec] as (value: unknown) => Augmentation)(value)];
  });
  return augmentations(...parts);
}

/** True unless `value` is an object of options. The maker checks all other values. */
function isFactor(value: Factor | object): value is Factor {
  return typeof value !== "object" || Array.isArray(value);
}
