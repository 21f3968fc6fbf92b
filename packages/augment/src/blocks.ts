// Keras' random layers as blocks: `chain([randomFlip(), randomRotation(0.1), rescale(1 / 255), conv(32, 3, same) …])`.
import { layer } from "@convkit/core";
import type { UnnamedBlock } from "@convkit/core";
import { checkOptions } from "@convkit/errors";
import type { Factor, ValueRange } from "./augmentation.ts";
import { affineOptionNames, checkWord } from "./geometry/affine-options.ts";
import type { AffineOptions } from "./geometry/affine-options.ts";
import { flipModes } from "./geometry/random-geometry.ts";
import type { FlipMode } from "./geometry/random-geometry.ts";
import type { AugmentationLayer } from "./layers/augmentation-layer.ts";
import { RandomBrightness, RandomContrast, RandomHue, RandomSaturation } from "./layers/color-layers.ts";
import { RandomErasing } from "./layers/erasing-layer.ts";
import {
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
} from "./layers/geometry-layers.ts";
import { RandAugment } from "./layers/rand-augment-layer.ts";
import { registerAugmentationLayers } from "./layers/register.ts";

/** What every random block takes. */
export interface SeedOptions {
  /** The seed of the random numbers; by default they follow from the layer's name and the training's seed. */
  readonly seed?: number | undefined;
}

/** Options of blocks that move pixels. */
export interface MoveOptions extends AffineOptions, SeedOptions {}

/** Options of blocks that change colors. */
export interface ValueOptions extends SeedOptions {
  /** The smallest and the largest value of a pixel; 0 and 255 by default, 0 and 1 after `rescale(1 / 255)`. */
  readonly range?: ValueRange | undefined;
}

const seedNames = { seed: true } as const;
const moveNames = { ...affineOptionNames, ...seedNames };
const valueNames = { range: true, ...seedNames } as const;

/**
 * In training mirrors each image with probability 1/2: left and right ("horizontal", the default), top and bottom ("vertical"),
 * or both independently ("both"). Keras' RandomFlip, whose default is both. `[n, h, w, c] -> [n, h, w, c]`
 */
export function randomFlip(mode: FlipMode = "horizontal", options: SeedOptions = {}): UnnamedBlock {
  checkWord("randomFlip", "mode", mode, flipModes);
  checkOptions("randomFlip", options, seedNames);
  const kerasMode = mode === "both" ? ("horizontal_and_vertical" as const) : mode;
  return random("random_flip", (name) => new RandomFlip({ ...name, mode: kerasMode, ...options }));
}

/** In training turns each image by a share of a full turn, 0.1 by up to 36 degrees in either direction. Keras' RandomRotation. */
export function randomRotation(factor: Factor, options: MoveOptions = {}): UnnamedBlock {
  checkOptions("randomRotation", options, moveNames);
  return random("random_rotation", (name) => new RandomRotation({ ...name, factor, ...moves(options) }));
}

/** Options of `randomZoom`. */
export interface ZoomBlockOptions extends MoveOptions {
  /** The range of the width's zoom; by default the width has the height's zoom. */
  readonly width?: Factor | undefined;
}

/** In training zooms each image: 0.2 shows from 80 to 120 % of its height and width. Keras' RandomZoom. */
export function randomZoom(height: Factor, options: ZoomBlockOptions = {}): UnnamedBlock {
  checkOptions("randomZoom", options, { ...moveNames, width: true });
  const { width, ...rest } = options;
  return random(
    "random_zoom",
    (name) => new RandomZoom({ ...name, heightFactor: height, widthFactor: width ?? null, ...moves(rest) }),
  );
}

/** In training shifts each image by shares of its height and width, 0.1 by up to a tenth. Keras' RandomTranslation. */
export function randomTranslation(height: Factor, width: Factor = height, options: MoveOptions = {}): UnnamedBlock {
  checkOptions("randomTranslation", options, moveNames);
  return random(
    "random_translation",
    (name) => new RandomTranslation({ ...name, heightFactor: height, widthFactor: width, ...moves(options) }),
  );
}

/** Options of `randomShear`. */
export interface ShearOptions extends MoveOptions {
  /** The vertical shear: shift of a column for each column right of the first, in pixels; 0 by default. */
  readonly y?: Factor | undefined;
}

/** In training shears each image: 0.2 shifts a row by up to 0.2 pixels for each row below the top. Keras' RandomShear. */
export function randomShear(x: Factor, options: ShearOptions = {}): UnnamedBlock {
  checkOptions("randomShear", options, { ...moveNames, y: true });
  const { y = 0, ...rest } = options;
  return random("random_shear", (name) => new RandomShear({ ...name, xFactor: x, yFactor: y, ...moves(rest) }));
}

/**
 * In training cuts a window out of each image, `[n, h, w, c] -> [n, height, width, c]`; in prediction resizes the largest middle
 * window of those proportions. Keras' RandomCrop.
 */
export function randomCrop(height: number, width: number = height, options: SeedOptions = {}): UnnamedBlock {
  checkOptions("randomCrop", options, seedNames);
  return random("random_crop", (name) => new RandomCrop({ ...name, height, width, ...options }));
}

/** In training adds a share of the range, 0.2 up to a fifth in either direction, and clips. Keras' RandomBrightness. */
export function randomBrightness(factor: Factor, options: ValueOptions = {}): UnnamedBlock {
  return random(
    "random_brightness",
    (name) => new RandomBrightness({ ...name, factor, ...values("randomBrightness", options) }),
  );
}

/** In training multiplies the distance from each channel's mean by 1 - f to 1 + f. Keras' RandomContrast. */
export function randomContrast(factor: Factor, options: ValueOptions = {}): UnnamedBlock {
  return random(
    "random_contrast",
    (name) => new RandomContrast({ ...name, factor, ...values("randomContrast", options) }),
  );
}

/** In training changes the hue of RGB images by up to `factor` half turns. Keras' RandomHue. */
export function randomHue(factor: Factor, options: ValueOptions = {}): UnnamedBlock {
  return random("random_hue", (name) => new RandomHue({ ...name, factor, ...values("randomHue", options) }));
}

/**
 * In training multiplies the saturation of RGB images by f / (1 - f), f drawn from the range: 0 gives gray, 0.5 leaves the
 * image unchanged. Keras' RandomSaturation.
 */
export function randomSaturation(factor: readonly [number, number], options: ValueOptions = {}): UnnamedBlock {
  return random(
    "random_saturation",
    (name) => new RandomSaturation({ ...name, factor, ...values("randomSaturation", options) }),
  );
}

/** Options of `randomErasing`. */
export interface ErasingBlockOptions extends ValueOptions {
  /** The probability that an image is erased; 0.5 by default. */
  readonly probability?: number | undefined;
  /** The smallest and the largest share of the image for the rectangle; 0.02 and 0.33 by default. */
  readonly scale?: readonly [number, number] | undefined;
  /** The value inside the rectangle; noise by default. */
  readonly fillValue?: number | undefined;
}

/** In training covers a random rectangle of each image with noise or `fillValue`. Keras' RandomErasing. */
export function randomErasing(options: ErasingBlockOptions = {}): UnnamedBlock {
  const { probability = 0.5, scale, fillValue, ...rest } = options;
  checkOptions("randomErasing", options, { ...valueNames, probability: true, scale: true, fillValue: true });
  return random(
    "random_erasing",
    (name) =>
      new RandomErasing({
        ...name,
        factor: [probability, probability],
        scale,
        fillValue,
        ...values("randomErasing", rest),
      }),
  );
}

/** Options of `randAugment`. */
export interface RandAugmentBlockOptions extends SeedOptions {
  /** Number of changes to each image; 2 by default. */
  readonly count?: number | undefined;
  /** Strength of the changes, 0 to 10; 9 by default. */
  readonly magnitude?: number | undefined;
}

/** In training makes `count` of the paper's fourteen changes to each image of 0 to 255. Cubuk et al. 2019, RandAugment. */
export function randAugment(options: RandAugmentBlockOptions = {}): UnnamedBlock {
  checkOptions("randAugment", options, { count: true, magnitude: true, ...seedNames });
  const { count, magnitude = 9, ...rest } = options;
  return random("rand_augment", (name) => new RandAugment({ ...name, numOps: count, factor: magnitude / 10, ...rest }));
}

/** A block of one random layer. The arguments are checked here, not when the block is used. */
function random(kind: string, make: (name: { readonly name?: string }) => AugmentationLayer): UnnamedBlock {
  void make({});
  registerAugmentationLayers();
  return layer((name) => make({ name }), kind);
}

function moves({ fill, ...rest }: MoveOptions) {
  return { fillMode: fill, ...rest };
}

function values(where: string, options: ValueOptions) {
  checkOptions(where, options, valueNames);
  const { range, ...rest } = options;
  return { valueRange: range, ...rest };
}
