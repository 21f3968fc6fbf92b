import { motionBlur } from "./motion-blur.ts";
import { clip } from "./picture.ts";
import type { Draws, Picture, Plane } from "./picture.ts";
import { clippedZoom } from "./warp.ts";

/** Fog of clouds of all sizes: a fractal, added to each channel. */
export function fog(
  { height, width, channels, values }: Picture,
  [strength, decay]: readonly [number, number],
  draws: Draws,
): Float64Array {
  const side = 2 ** Math.ceil(Math.log2(Math.max(height, width, channels, 2)));
  const clouds = plasmaFractal(side, decay, draws.uniform(side * side - 1, 0));
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  return values.map((value, i) => {
    const pixel = Math.floor(i / channels);
    const cloud = clouds[Math.floor(pixel / width) * side + (pixel % width)]!;
    return ((value + strength * cloud) * most) / (most + strength);
  });
}

/**
 * Heights from 0 to 1 by the diamond-square algorithm on a ring in both directions: the middles of squares, then those of their
 * sides, get the mean of their four neighbors and a random part, which shrinks with the squares.
 */
function plasmaFractal(side: number, decay: number, uniform: ArrayLike<number>): Float64Array {
  const map = new Float64Array(side * side);
  const at = (y: number, x: number): number => map[((y + side) % side) * side + ((x + side) % side)]!;
  let [used, wobble] = [0, 100];
  for (let step = side; step >= 2; step /= 2, wobble /= decay) {
    const half = step / 2;
    const fill = (top: number, left: number, near: readonly (readonly [number, number])[]): void => {
      for (let y = top; y < side; y += step)
        for (let x = left; x < side; x += step) {
          const sum = near.reduce((total, [down, right]) => total + at(y + down * half, x + right * half), 0);
          map[y * side + x] = sum / 4 + wobble * (-wobble + 2 * wobble * uniform[used++]!);
        }
    };
    fill(half, half, [
      [-1, -1],
      [1, -1],
      [-1, 1],
      [1, 1],
    ]);
    fill(0, half, [
      [-1, 0],
      [1, 0],
      [0, -1],
      [0, 1],
    ]);
    fill(half, 0, [
      [-1, 0],
      [1, 0],
      [0, -1],
      [0, 1],
    ]);
  }
  const least = map.reduce((min, value) => Math.min(min, value), Infinity);
  const range = map.reduce((max, value) => Math.max(max, value), -Infinity) - least;
  return map.map((value) => (value - least) / range);
}

/** Numbers of one severity of snow. */
export type Snow = readonly [
  mean: number,
  deviation: number,
  zoom: number,
  least: number,
  radius: number,
  blur: number,
  share: number,
];

/** Falling flakes, once more from the other side, and a paler image. */
export function snow(
  { height, width, channels, values }: Picture,
  [mean, deviation, zoom, least, radius, blur, share]: Snow,
  draws: Draws,
): Float64Array {
  const normal = draws.normal(height * width);
  const random = Float64Array.from({ length: height * width }, (_, i) => mean + deviation * normal[i]!);
  const large = clippedZoom({ height, width, values: random }, zoom);
  const flakes: Plane = { ...large, values: large.values.map((value) => (value < least ? 0 : clip(value))) };
  const fallen = motionBlur(flakes, radius, blur, -135 + 90 * draws.uniform(1, 0)[0]!);
  const layer = fallen.values.map((value) => Math.round(255 * value) / 255);
  return values.map((value, i) => {
    const pixel = Math.floor(i / channels);
    const [red, green, blue] = [0, 1, 2].map((channel) => values[pixel * channels + (channel % channels)]!);
    const gray = 0.299 * red! + 0.587 * green! + 0.114 * blue!;
    const pale = share * value + (1 - share) * Math.max(value, 1.5 * gray + 0.5);
    return pale + layer[pixel]! + layer[layer.length - 1 - pixel]!;
  });
}

/** A photograph of frost: bytes `[h, w, 3]`. */
export interface Photo {
  readonly pixels: Uint8Array | Uint8ClampedArray;
  readonly shape: readonly [height: number, width: number, channels: number];
}

/** A random part of one of the photographs, added to the image. */
export function frost(
  { height, width, channels, values }: Picture,
  [share, added]: readonly [number, number],
  photos: readonly Photo[],
  draws: Draws,
): Float64Array {
  const [which, top, left] = Array.from(draws.uniform(3, 0)) as [number, number, number];
  const { pixels, shape } = photos[Math.floor(which * photos.length)]!;
  const [first, begin] = [Math.floor(top * (shape[0] - height)), Math.floor(left * (shape[1] - width))];
  return values.map((value, i) => {
    const pixel = Math.floor(i / channels);
    const place = ((first + Math.floor(pixel / width)) * shape[1] + begin + (pixel % width)) * 3;
    const [red, green, blue] = [pixels[place]!, pixels[place + 1]!, pixels[place + 2]!];
    const ice = channels === 1 ? 0.2989 * red + 0.587 * green + 0.114 * blue : pixels[place + (i % channels)]!;
    return share * value + (added * ice) / 255;
  });
}
