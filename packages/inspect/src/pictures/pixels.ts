import { OptionError, shown } from "@convkit/errors";

/** A picture: rows of pixels, each of four bytes, as `ImageData` of a page and `sharp`'s raw input take them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 4]`: red, green, blue, opacity. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** A color for a number from 0 to 1. */
export type ColorMap = (value: number) => readonly [red: number, green: number, blue: number];

/** Colors of matplotlib's maps at equal distances; those between are mixed. */
const stops = {
  gray: ["#000000", "#ffffff"],
  viridis: ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"],
  inferno: ["#000004", "#420a68", "#932667", "#dd513a", "#fca50a", "#fcffa4"],
  /** White in the middle. */
  "red-blue": ["#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f"],
} as const;

/** Names of color maps. */
export type ColorMapName = keyof typeof stops;

/** The color map of that name. Throws an `OptionError` for an unknown one. */
export function colorMap(name: ColorMapName): ColorMap {
  if (!Object.hasOwn(stops, name)) {
    throw new OptionError(`colors: expected one of ${Object.keys(stops).join(", ")}, got ${shown(name)}.`);
  }
  const colors = stops[name].map((color) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)));
  return (value) => {
    const place = Math.min(Math.max(value, 0), 1) * (colors.length - 1);
    const lower = Math.min(Math.floor(place), colors.length - 2);
    const mixed = (channel: number): number => {
      const [a, b] = [colors[lower]?.[channel] ?? 0, colors[lower + 1]?.[channel] ?? 0];
      return a + (b - a) * (place - lower);
    };
    return [mixed(0), mixed(1), mixed(2)];
  };
}

/** Colors of a map of numbers from 0 to 1: `[h, w]`. */
export function mapPixels(
  values: Float32Array,
  [height, width]: readonly [height: number, width: number],
  colors: ColorMapName = "viridis",
): Pixels {
  const color = colorMap(colors);
  const data = new Uint8ClampedArray(4 * height * width);
  values.forEach((value, i) => data.set([...color(value), 255], 4 * i));
  return { width, height, data };
}

/** An image of one or three channels, stretched from its smallest and largest value to black and white: `[h, w, c]`. */
export function imagePixels(
  values: ArrayLike<number>,
  [height, width, channels]: readonly [height: number, width: number, channels: number],
): Pixels {
  if (channels !== 1 && channels !== 3) {
    throw new OptionError(`imagePixels: expected an image of one or three channels, got ${channels}.`);
  }
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i] as number);
    most = Math.max(most, values[i] as number);
  }
  const scale = 255 / (most - least || 1);
  const data = new Uint8ClampedArray(4 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      data[4 * i + c] = ((values[channels * i + (channels === 1 ? 0 : c)] as number) - least) * scale;
    }
    data[4 * i + 3] = 255;
  }
  return { width, height, data };
}

/** A map from 0 to 1 over a picture of the same size, which shows through where the map is small. */
export function overlayPixels(picture: Pixels, values: Float32Array, colors: ColorMapName = "inferno"): Pixels {
  const { width, height, data } = picture;
  if (values.length !== width * height) {
    throw new OptionError(`overlayPixels: expected a map of ${width * height} values, got ${values.length}.`);
  }
  const color = colorMap(colors);
  const mixed = data.slice();
  values.forEach((value, i) => {
    const opacity = Math.min(0.8, 1.6 * value);
    color(value).forEach((part, c) => {
      mixed[4 * i + c] = (data[4 * i + c] as number) * (1 - opacity) + part * opacity;
    });
  });
  return { width, height, data: mixed };
}

/**
 * An attribution as a picture: its sum over the channels, red where it speaks for the class, blue where it speaks against,
 * white where it is 0. One value in a hundred may be out of range. `[h, w, c]`
 */
export function attributionPixels(attribution: {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly values: Float32Array;
}): Pixels {
  const [height, width, channels] = attribution.shape;
  const sums = new Float32Array(height * width);
  attribution.values.forEach((value, i) => {
    sums[Math.floor(i / channels)]! += value;
  });
  const sizes = sums.map(Math.abs).toSorted();
  const limit = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes.at(-1) || 1;
  return mapPixels(
    sums.map((sum) => 0.5 + sum / (2 * limit)),
    [height, width],
    "red-blue",
  );
}
