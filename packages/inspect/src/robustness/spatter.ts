import { gaussianBlur } from "./blur.ts";
import { cannyEdges } from "./canny.ts";
import { mirrored } from "./picture.ts";
import type { Draws, Picture, Plane } from "./picture.ts";

/** Numbers of one severity of spatter. */
export type Spatter = readonly [
  mean: number,
  deviation: number,
  blur: number,
  least: number,
  strength: number,
  liquid: "water" | "mud",
];

/** Red, green and blue: pale turquoise and brown. */
const colors = { water: [175, 238, 238], mud: [63, 42, 20] } as const;

/** The shares of red, green and blue in the gray of scikit-image's `rgb2gray`. */
const gray = [0.2125, 0.7154, 0.0721] as const;

/** Drops of water, brighter at their rims, or splashes of mud on the lens. */
export function spatter(
  { height, width, channels, values }: Picture,
  [mean, deviation, blur, least, strength, liquid]: Spatter,
  draws: Draws,
): Float64Array {
  const normal = draws.normal(height * width);
  const random = Float64Array.from({ length: height * width }, (_, i) => mean + deviation * normal[i]!);
  const smooth = gaussianBlur({ height, width, values: random }, blur);
  const layer = { ...smooth, values: smooth.values.map((value) => (value < least ? 0 : value)) };
  const shares = liquid === "water" ? drops(layer, strength) : splashes(layer, least, strength);
  const rgb = colors[liquid].map((value) => value / 255);
  const own = channels === 1 ? [rgb.reduce((sum, value, i) => sum + gray[i]! * value, 0)] : rgb;
  return values.map((value, i) => {
    const share = shares[Math.floor(i / channels)]!;
    return (liquid === "water" ? value : value * (1 - share)) + share * own[i % channels]!;
  });
}

/** How much color each pixel gets: the liquid's height, lit from one side by the distance to the rims. */
function drops({ height, width, values }: Plane, strength: number): Float64Array {
  // A value above 1 begins again at 0, as in NumPy's bytes.
  const liquid = { height, width, values: values.map((value) => Math.floor(255 * value) & 255) };
  const distance = edgeDistance(cannyEdges(liquid, 50, 150));
  const near = { ...distance, values: distance.values.map((value) => Math.min(value, 20)) };
  const equal = equalized(mapped(near, mean3, (value) => Math.floor(Math.fround(value))));
  const lit = mapped(equal, [-2, -1, 0, -1, 1, 1, 0, 1, 2], (value) => Math.min(Math.max(value, 0), 255));
  const soft = mapped(lit, mean3, Math.round);
  const product = liquid.values.map((value, i) => value * soft.values[i]!);
  const most = product.reduce((max, value) => Math.max(max, value), 0);
  return most === 0 ? product : product.map((value) => (value / most) * strength);
}

/** How much of each pixel the mud covers. */
function splashes(layer: Plane, least: number, blur: number): Float64Array {
  const mask = { ...layer, values: layer.values.map((value) => (value > least ? 1 : 0)) };
  return gaussianBlur(mask, blur).values.map((value) => (value < 0.8 ? 0 : value));
}

const mean3 = Array.from({ length: 9 }, () => 1 / 9);

/** Each pixel's sum over its 3x3 neighbors, weighted. */
function mapped(
  { height, width, values }: Plane,
  weights: readonly number[],
  rounded: (value: number) => number,
): Plane {
  const sum = (_: number, i: number): number => {
    const [y, x] = [Math.floor(i / width), i % width];
    let total = 0;
    weights.forEach((weight, place) => {
      const row = mirrored(y + Math.floor(place / 3) - 1, height);
      total += weight * values[row * width + mirrored(x + (place % 3) - 1, width)]!;
    });
    return rounded(total);
  };
  return { height, width, values: values.map(sum) };
}

/**
 * The distance of each pixel to the nearest edge, in steps of 1, of 1.4 to a diagonal neighbor and of 2.1969 to a knight's move, as
 * OpenCV's `distanceTransform` with a mask of 5. Borgefors 1986
 */
function edgeDistance({ height, width, values }: Plane): Plane {
  // In units of 1 / 65,536, as OpenCV counts.
  const [straight, diagonal, knight] = [65_536, 91_750, 143_976];
  const made = values.map((edge) => (edge > 0 ? 0 : Infinity));
  const before = [
    [-2, -1, knight],
    [-2, 1, knight],
    [-1, -2, knight],
    [-1, -1, diagonal],
    [-1, 0, straight],
    [-1, 1, diagonal],
    [-1, 2, knight],
    [0, -1, straight],
  ] as const;
  for (const direction of [1, -1]) {
    for (let step = 0; step < made.length; step++) {
      const i = direction === 1 ? step : made.length - 1 - step;
      for (const [down, right, cost] of before) {
        const [y, x] = [Math.floor(i / width) + direction * down, (i % width) + direction * right];
        if (y >= 0 && y < height && x >= 0 && x < width) made[i] = Math.min(made[i]!, made[y * width + x]! + cost);
      }
    }
  }
  return { height, width, values: made.map((value) => value / straight) };
}

/** Bytes spread so that all levels are about as frequent, as OpenCV's `equalizeHist`. */
function equalized(plane: Plane): Plane {
  const counts = Array.from<number>({ length: 256 }).fill(0);
  for (const value of plane.values) counts[value]! += 1;
  const first = counts.findIndex((count) => count > 0);
  const rest = plane.values.length - counts[first]!;
  if (rest === 0) return plane;
  let sum = -counts[first]!;
  const levels = counts.map((count) => Math.round((Math.max((sum += count), 0) * 255) / rest));
  return { ...plane, values: plane.values.map((value) => levels[value]!) };
}
