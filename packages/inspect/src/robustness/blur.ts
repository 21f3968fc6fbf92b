import { mirrored, nearest } from "./picture.ts";
import type { Border, Plane } from "./picture.ts";

/** A Gaussian blur that repeats the border pixels and is cut at four deviations, as scikit-image's. */
export function gaussianBlur(plane: Plane, deviation: number): Plane {
  return blurredWith(plane, [deviation, deviation], { cut: 4, border: nearest });
}

/** A Gaussian blur whose deviations along height and width may differ, cut at so many deviations. */
export function blurredWith(
  plane: Plane,
  [down, across]: readonly [number, number],
  { cut, border }: { readonly cut: number; readonly border: Border },
): Plane {
  const weights = (deviation: number): number[] => gaussianWeights(deviation, Math.floor(cut * deviation + 0.5));
  return alongRows(alongColumns(plane, weights(down), border), weights(across), border);
}

/** The blur of a lens out of focus: a disk whose edge is smoothed. Hendrycks and Dietterich 2019 */
export function defocusBlur(plane: Plane, radius: number, smoothing: number): Plane {
  const reach = Math.max(radius, 8);
  const side = 2 * reach + 1;
  const disk = new Float64Array(side * side);
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++)
      disk[(y + reach) * side + x + reach] = x * x + y * y <= radius * radius ? 1 : 0;
  const total = disk.reduce((sum, value) => sum + value, 0);
  const weights = gaussianWeights(smoothing, radius <= 8 ? 1 : 2);
  const whole = { height: side, width: side, values: disk.map((value) => value / total) };
  const kernel = alongRows(alongColumns(whole, weights, mirrored), weights, mirrored);
  return correlate(plane, kernel);
}

function correlate({ height, width, values }: Plane, kernel: Plane): Plane {
  const reach = (kernel.width - 1) / 2;
  const made = new Float64Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = -reach; j <= reach; j++)
        for (let i = -reach; i <= reach; i++) {
          const weight = kernel.values[(j + reach) * kernel.width + i + reach] as number;
          if (weight !== 0)
            sum += weight * (values[mirrored(y + j, height) * width + mirrored(x + i, width)] as number);
        }
      made[y * width + x] = sum;
    }
  return { height, width, values: made };
}

function gaussianWeights(deviation: number, reach: number): number[] {
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function alongColumns(plane: Plane, weights: readonly number[], border: Border): Plane {
  return along(plane, weights, (y, x, offset, { height, width }) => border(y + offset, height) * width + x);
}

function alongRows(plane: Plane, weights: readonly number[], border: Border): Plane {
  return along(plane, weights, (y, x, offset, { width }) => y * width + border(x + offset, width));
}

function along(
  plane: Plane,
  weights: readonly number[],
  placeOf: (y: number, x: number, offset: number, plane: Plane) => number,
): Plane {
  const { height, width, values } = plane;
  const reach = (weights.length - 1) / 2;
  const made = new Float64Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      weights.forEach((weight, i) => {
        made[y * width + x]! += weight * (values[placeOf(y, x, i - reach, plane)] as number);
      });
  return { height, width, values: made };
}
