import { hashText, normalValues, uniformValues } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { defocusBlur, gaussianBlur } from "./blur.ts";
import type { Plane } from "./blur.ts";

/** Kinds of ImageNet-C that need nothing but the image. */
export const corruptionNames = [
  "gaussian-noise",
  "shot-noise",
  "impulse-noise",
  "speckle-noise",
  "gaussian-blur",
  "defocus-blur",
  "brightness",
  "contrast",
  "saturate",
  "pixelate",
] as const;

export type CorruptionName = (typeof corruptionNames)[number];

export interface CorruptOptions {
  readonly kind: CorruptionName;
  /** 1, the mildest, to 5. */
  readonly severity: number;
  /** Seed of the noise; 0 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<CorruptOptions> = { kind: true, severity: true, seed: true };

/** An image as numbers from 0 to 1 with its random draws, `[h, w, c]`. */
interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

/** Random numbers of an image: one for each value, the same for the same seed. */
export interface Draws {
  normal(count: number): ArrayLike<number>;
  /** Two calls give different numbers. */
  uniform(count: number, stream: number): ArrayLike<number>;
}

type Corruption = (picture: Picture, severity: number, draws: Draws) => Float64Array;

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
 * An image of bytes made worse as in ImageNet-C: noise, blur, light, contrast, color, coarse pixels. `[h, w, c] -> [h, w, c]` with one channel
 * or three. Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261
 *
 * Throws an `OptionError` for other kinds, severities and shapes, and for `saturate` without colors.
 */
export function corrupt(
  pixels: Uint8Array | Uint8ClampedArray,
  shape: readonly [height: number, width: number, channels: number],
  options: CorruptOptions,
): Uint8Array {
  checkOptions("corrupt", options, names);
  const { kind, severity, seed = 0 } = options;
  const stream = hashText(kind, seed);
  return corruptWith(
    pixels,
    shape,
    { kind, severity },
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
  { kind, severity }: Pick<CorruptOptions, "kind" | "severity">,
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
  const picture = { height, width, channels, values: Float64Array.from(pixels, (value) => value / 255) };
  const made = corruptions[kind](picture, severity, draws);
  // ImageNet-C cuts fractions off; the small number keeps 0.2 * 255 from becoming 50.
  return Uint8Array.from(made, (value) => Math.floor(clip(value) * 255 + 1e-9));
}

function at(values: readonly [number, number, number, number, number], severity: number): number {
  return values[severity - 1] as number;
}

function clip(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

function onPlanes({ height, width, channels, values }: Picture, change: (plane: Plane) => Plane): Float64Array {
  const made = new Float64Array(values.length);
  for (let channel = 0; channel < channels; channel++) {
    const own = Float64Array.from({ length: height * width }, (_, i) => values[i * channels + channel] as number);
    change({ height, width, values: own }).values.forEach((value, i) => (made[i * channels + channel] = value));
  }
  return made;
}

type Color = readonly [hue: number, saturation: number, value: number];

/** Changes colors as hue, saturation and value; a gray image has only the last. */
function onColors({ channels, values }: Picture, change: (color: Color) => Color): Float64Array {
  if (channels === 1) return values.map((value) => change([0, 0, value])[2]);
  const made = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 3) {
    const rgb = rgbOf(change(hsvOf(values[i]!, values[i + 1]!, values[i + 2]!)));
    made.set(rgb, i);
  }
  return made;
}

function hsvOf(red: number, green: number, blue: number): Color {
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  if (range === 0) return [0, 0, value];
  const sector =
    value === red ? (green - blue) / range : value === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return [(((sector / 6) % 1) + 1) % 1, range / value, value];
}

function rgbOf([hue, saturation, value]: Color): [number, number, number] {
  const sector = Math.floor(hue * 6);
  const part = hue * 6 - sector;
  const [low, falling, rising] = [
    value * (1 - saturation),
    value * (1 - part * saturation),
    value * (1 - (1 - part) * saturation),
  ] as const;
  const all: [number, number, number][] = [
    [value, rising, low],
    [falling, value, low],
    [low, value, rising],
    [low, falling, value],
    [rising, low, value],
    [value, low, falling],
  ];
  return all[sector % 6]!;
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

/** Each pixel is the mean of the input pixels that it covers, as Pillow's BOX filter, columns first and rounded to bytes in between. */
function boxResize(plane: Plane, height: number, width: number): Plane {
  const rows = boxLines(plane.values, plane.height, plane.width, width);
  const turned = transposed(rows, plane.height, width);
  const columns = boxLines(turned, width, plane.height, height);
  return { height, width, values: transposed(columns, width, height) };
}

function boxLines(values: Float64Array, lines: number, from: number, to: number): Float64Array {
  const made = new Float64Array(lines * to);
  const scale = from / to;
  const reach = 0.5 * Math.max(scale, 1);
  for (let place = 0; place < to; place++) {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const last = Math.min(from, Math.trunc(center + reach + 0.5));
    const inside = Array.from({ length: last - first }, (_, i) => first + i).filter((i) => {
      const offset = (i - center + 0.5) / Math.max(scale, 1);
      return offset > -0.5 && offset <= 0.5;
    });
    for (let line = 0; line < lines; line++) {
      const sum = inside.reduce((total, i) => total + Math.round(255 * values[line * from + i]!), 0);
      made[line * to + place] = Math.floor(sum / inside.length + 0.5) / 255;
    }
  }
  return made;
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}
