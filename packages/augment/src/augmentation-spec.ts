import { checkOptions, OptionError } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { augmentations } from "./augmentation.ts";
import type { Augmentation, Factor } from "./augmentation.ts";
import { randomBrightness, randomContrast, randomHue, randomSaturation } from "./color/random-color.ts";
import type { AffineOptions } from "./geometry/affine-options.ts";
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometry/random-geometry.ts";
import type { CropOptions, FlipMode, ZoomOptions } from "./geometry/random-geometry.ts";
import { augMix } from "./policies/aug-mix.ts";
import type { AugMixOptions } from "./policies/aug-mix.ts";
import { autoAugment } from "./policies/auto-augment.ts";
import type { AutoAugmentOptions, AutoAugmentPolicy } from "./policies/auto-augment.ts";
import { threeAugment } from "./policies/three-augment.ts";
import type { ThreeAugmentOptions } from "./policies/three-augment.ts";
import { trivialAugment } from "./policies/trivial-augment.ts";
import type { TrivialAugmentOptions } from "./policies/trivial-augment.ts";
import { randAugment } from "./rand-augment.ts";
import type { RandAugmentOptions } from "./rand-augment.ts";
import { randomErasing } from "./random-erasing.ts";
import type { ErasingOptions } from "./random-erasing.ts";

/** An augmentation as plain data, for a recipe or a file. The changes follow the order of the keys. */
export interface AugmentationSpec {
  /** Mirrors images in this direction, each with probability 1/2; by default none is mirrored. */
  readonly flip?: FlipMode | undefined;
  /** Rotates by a part of a full turn, `0.1` by up to 36 degrees in either direction; none by default. */
  readonly rotation?: Factor | ({ readonly factor: Factor } & AffineOptions) | undefined;
  /** Zooms by a share of the size, `0.2` to show 80 to 120 % of it; none by default. */
  readonly zoom?: Factor | ({ readonly factor: Factor } & ZoomOptions) | undefined;
  /**
   * Shifts by a share of the height and the width, `0.1` by up to a tenth in either direction; none by default.
   */
  readonly translation?:
    | Factor
    | ({
        readonly factor: Factor;
        /** The share of the width; by default that of the height. */
        readonly width?: Factor | undefined;
      } & AffineOptions)
    | undefined;
  /** Cuts out a window of this size in pixels, at a random place; by default the whole image stays. */
  readonly crop?: ({ readonly height: number; readonly width: number } & CropOptions) | undefined;
  /** Adds a share of the range of the pixels, `0.2` up to a fifth in either direction; none by default. */
  readonly brightness?: Factor | undefined;
  /** Multiplies the contrast by 1 + f, `0.2` by 0.8 to 1.2; unchanged by default. */
  readonly contrast?: Factor | undefined;
  /** Turns the hue by f half turns in either direction; unchanged by default. */
  readonly hue?: Factor | undefined;
  /**
   * Multiplies the saturation by f / (1 - f), with f drawn from this range: 0 gives gray, 0.5 no change. Unchanged by
   * default.
   */
  readonly saturation?: readonly [number, number] | undefined;
  /** Erases a rectangle of some images; by default none is erased. */
  readonly erasing?: ErasingOptions | undefined;
  /** Makes random changes of a common strength, as RandAugment; none by default. */
  readonly randAugment?: RandAugmentOptions | undefined;
  /** Draws a pair of changes of a policy, by its name or with options; none by default. */
  readonly autoAugment?: AutoAugmentPolicy | AutoAugmentOptions | undefined;
  /** Makes one random change of any strength; `{}` for TrivialAugmentWide, none by default. */
  readonly trivialAugment?: TrivialAugmentOptions | undefined;
  /** Mixes images with chains of changes; `{}` for AugMix, none by default. */
  readonly augMix?: AugMixOptions | undefined;
  /** Gray, solarized or blurred, then color jitter; `{}` for DeiT III's, none by default. */
  readonly threeAugment?: ThreeAugmentOptions | undefined;
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
  autoAugment: (value) => autoAugment(typeof value === "string" ? { policy: value } : value),
  trivialAugment,
  augMix,
  threeAugment,
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
