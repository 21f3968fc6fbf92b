import { hashText, normalValues, uniformValues } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { defocusBlur, gaussianBlur } from "./blur.ts";
import { boxResize } from "./box-resize.ts";
import { onColors } from "./color-space.ts";
import { glassBlur } from "./glass-blur.ts";
import { motionBlur } from "./motion-blur.ts";
import { clip, onPlanes } from "./picture.ts";
import type { Draws, Picture } from "./picture.ts";
import { spatter } from "./spatter.ts";
import { clippedZoom, elastic } from "./warp.ts";
import { fog, frost, snow } from "./weather.ts";
import type { Photo } from "./weather.ts";

/** Kinds of ImageNet-C. `frost` needs photographs. */
export const corruptionNames = [
  "gaussian-noise",
  "shot-noise",
  "impulse-noise",
  "speckle-noise",
  "gaussian-blur",
  "defocus-blur",
  "glass-blur",
  "motion-blur",
  "zoom-blur",
  "snow",
  "frost",
  "fog",
  "spatter",
  "elastic",
  "brightness",
  "contrast",
  "saturate",
  "pixelate",
] as const;

export type { Photo } from "./weather.ts";

export type CorruptionName = (typeof corruptionNames)[number];

export interface CorruptOptions {
  readonly kind: CorruptionName;
  /** 1, the mildest, to 5. */
  readonly severity: number;
  /** Seed of the noise; 0 by default. */
  readonly seed?: number | undefined;
  /** Photographs for `frost`, each at least as large as the image. None by default. */
  readonly photos?: readonly Photo[] | undefined;
}

const names: OptionNames<CorruptOptions> = { kind: true, severity: true, seed: true, photos: true };

type Corruption = (picture: Picture, severity: number, draws: Draws, photos: readonly Photo[]) => Float64Array;

const corruptions: Readonly<Record<CorruptionName, Corruption>> = {
  "gaussian-noise": ({ values }, level, { normal }) => {
    const draws = normal(values.length);
    return values.map((value, i) => value + draws[i]! * at([0.08, 0.12, 0.18, 0.26, 0.38], level));
  },
  "shot-noise": ({ values }, level, { uniform }) => {
    const photons = at([60, 25, 12, 5, 3], level);
    const draws = uniform(values.length, 0);
    return values.map((value, i) => poisson(value * photons, draws[i]!) / photons);
  },
  "impulse-noise": ({ values }, level, { uniform }) => {
    const [share, flips, salts] = [
      at([0.03, 0.06, 0.09, 0.17, 0.27], level),
      uniform(values.length, 0),
      uniform(values.length, 1),
    ];
    return values.map((value, i) => (flips[i]! > share ? value : salts[i]! <= 0.5 ? 1 : 0));
  },
  "speckle-noise": ({ values }, level, { normal }) => {
    const draws = normal(values.length);
    return values.map((value, i) => value + value * draws[i]! * at([0.15, 0.2, 0.35, 0.45, 0.6], level));
  },
  "gaussian-blur": (picture, level) => onPlanes(picture, (plane) => gaussianBlur(plane, at([1, 2, 3, 4, 6], level))),
  "defocus-blur": (picture, level) =>
    onPlanes(picture, (plane) => defocusBlur(plane, at([3, 4, 6, 8, 10], level), at([0.1, 0.5, 0.5, 0.5, 0.5], level))),
  "glass-blur": (picture, level, draws) =>
    glassBlur(
      picture,
      at(
        [
          [0.7, 1, 2],
          [0.9, 2, 1],
          [1, 2, 3],
          [1.1, 3, 2],
          [1.5, 4, 2],
        ],
        level,
      ),
      draws,
    ),
  "motion-blur": (picture, level, { uniform }) => {
    const [radius, deviation] = at(
      [
        [10, 3],
        [15, 5],
        [15, 8],
        [15, 12],
        [20, 15],
      ],
      level,
    );
    const angle = -45 + 90 * uniform(1, 0)[0]!;
    return onPlanes(picture, (plane) => motionBlur(plane, radius, deviation, angle));
  },
  "zoom-blur": (picture, level) => {
    // numpy.arange(1, 1.11, 0.01) has 12 numbers: the last one is 1.11, by rounding.
    const [steps, step] = at(
      [
        [12, 0.01],
        [16, 0.01],
        [11, 0.02],
        [13, 0.02],
        [11, 0.03],
      ],
      level,
    );
    return onPlanes(picture, (plane) => {
      const sum = plane.values.slice();
      for (let i = 0; i < steps; i++)
        clippedZoom(plane, 1 + i * step).values.forEach((value, place) => (sum[place]! += value));
      return { ...plane, values: sum.map((value) => value / (steps + 1)) };
    });
  },
  snow: (picture, level, draws) =>
    snow(
      picture,
      at(
        [
          [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
          [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
          [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
          [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
          [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
        ],
        level,
      ),
      draws,
    ),
  frost: (picture, level, draws, photos) =>
    frost(
      picture,
      at(
        [
          [1, 0.4],
          [0.8, 0.6],
          [0.7, 0.7],
          [0.65, 0.7],
          [0.6, 0.75],
        ],
        level,
      ),
      photos,
      draws,
    ),
  fog: (picture, level, draws) =>
    fog(
      picture,
      at(
        [
          [1.5, 2],
          [2, 2],
          [2.5, 1.7],
          [2.5, 1.5],
          [3, 1.4],
        ],
        level,
      ),
      draws,
    ),
  spatter: (picture, level, draws) =>
    spatter(
      picture,
      at(
        [
          [0.65, 0.3, 4, 0.69, 0.6, "water"],
          [0.65, 0.3, 3, 0.68, 0.6, "water"],
          [0.65, 0.3, 2, 0.68, 0.5, "water"],
          [0.65, 0.3, 1, 0.65, 1.5, "mud"],
          [0.67, 0.4, 1, 0.65, 1.5, "mud"],
        ],
        level,
      ),
      draws,
    ),
  elastic: (picture, level, draws) => elastic(picture, 250 * at([0.05, 0.065, 0.085, 0.1, 0.12], level), draws),
  brightness: (picture, level) => {
    const more = at([0.1, 0.2, 0.3, 0.4, 0.5], level);
    return onColors(picture, ([hue, saturation, value]) => [hue, saturation, clip(value + more)]);
  },
  contrast: (picture, level) =>
    onPlanes(picture, (plane) => {
      const mean = plane.values.reduce((sum, value) => sum + value, 0) / plane.values.length;
      const share = at([0.4, 0.3, 0.2, 0.1, 0.05], level);
      return { ...plane, values: plane.values.map((value) => (value - mean) * share + mean) };
    }),
  saturate: (picture, level) => {
    const [factor, more] = [at([0.3, 0.1, 2, 5, 20], level), at([0, 0, 0, 0.1, 0.2], level)];
    return onColors(picture, ([hue, saturation, value]) => [hue, clip(saturation * factor + more), value]);
  },
  pixelate: (picture, level) => {
    const share = at([0.6, 0.5, 0.4, 0.3, 0.25], level);
    const [height, width] = [picture.height, picture.width].map((size) => Math.max(1, Math.floor(size * share)));
    return onPlanes(picture, (plane) => boxResize(boxResize(plane, height!, width!), plane.height, plane.width));
  },
};

/**
 * An image of bytes made worse as in ImageNet-C: noise, blur, weather, light, contrast, color, coarse pixels.
 * `[h, w, c] -> [h, w, c]` with one channel or three. Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261
 *
 * Throws an `OptionError` for other kinds, severities and shapes, for `saturate` without colors, and for `frost` without photographs
 * that are large enough.
 */
export function corrupt(
  pixels: Uint8Array | Uint8ClampedArray,
  shape: readonly [height: number, width: number, channels: number],
  options: CorruptOptions,
): Uint8Array {
  checkOptions("corrupt", options, names);
  const { kind, severity, seed = 0, photos } = options;
  const stream = hashText(kind, seed);
  return corruptWith(
    pixels,
    shape,
    { kind, severity, photos },
    {
      normal: (count) => normalValues(count, 0, 1, stream),
      uniform: (count, index) => uniformValues(count, 0, 1, hashText(String(index), stream)),
    },
  );
}

/** The same with given draws. */
export function corruptWith(
  pixels: Uint8Array | Uint8ClampedArray,
  [height, width, channels]: readonly [number, number, number],
  { kind, severity, photos = [] }: Omit<CorruptOptions, "seed">,
  draws: Draws,
): Uint8Array {
  const where = "corrupt";
  if (!Object.hasOwn(corruptions, kind))
    throw new OptionError(`${where}: expected kind as one of ${corruptionNames.join(", ")}, got ${shown(kind)}.`);
  if (!Number.isInteger(severity) || severity < 1 || severity > 5)
    throw new OptionError(`${where}: expected severity from 1 to 5, got ${shown(severity)}.`);
  if (pixels.length !== height * width * channels || (channels !== 1 && channels !== 3))
    throw new OptionError(
      `${where}: expected bytes of an image with one channel or three, got ${pixels.length} for ${height}x${width}x${channels}.`,
    );
  if (kind === "saturate" && channels === 1)
    throw new OptionError(`${where}: saturate changes colors, and the image has one channel.`);
  if (kind === "frost") checkPhotos(where, photos, height, width);
  const picture = { height, width, channels, values: Float64Array.from(pixels, (value) => value / 255) };
  const made = corruptions[kind](picture, severity, draws, photos);
  // ImageNet-C cuts fractions off; the small number keeps 0.2 * 255 from becoming 50.
  return Uint8Array.from(made, (value) => Math.floor(clip(value) * 255 + 1e-9));
}

function checkPhotos(where: string, photos: readonly Photo[], height: number, width: number): void {
  const expected = `expected photos for frost, bytes of RGB images of ${height}x${width} pixels or more`;
  if (photos.length === 0)
    throw new OptionError(
      `${where}: ${expected}, got none; the Python package imagecorruptions has those of ImageNet-C.`,
    );
  for (const { pixels, shape } of photos)
    if (shape[0] < height || shape[1] < width || shape[2] !== 3 || pixels.length !== shape[0] * shape[1] * 3)
      throw new OptionError(`${where}: ${expected}, got ${pixels.length} bytes for ${shape.join("x")}.`);
}

function at<const T>(values: readonly [T, T, T, T, T], severity: number): T {
  return values[severity - 1] as T;
}

/** The smallest count whose probability to be reached is at least `share`. */
function poisson(mean: number, share: number): number {
  let count = 0;
  let chance = Math.exp(-mean);
  let sum = chance;
  while (sum < share && count < 1000) {
    count += 1;
    chance *= mean / count;
    sum += chance;
  }
  return count;
}
