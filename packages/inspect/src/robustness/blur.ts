/** One channel of an image, `[h, w]`, with values from 0 to 1. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

/** A Gaussian blur that repeats the border pixels and is cut at four deviations, as scipy's and scikit-image's. */
export function gaussianBlur(plane: Plane, deviation: number): Plane {
  const weights = gaussianWeights(deviation, Math.floor(4 * deviation + 0.5));
  return alongRows(alongColumns(plane, weights, nearest), weights, nearest);
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

type Border = (place: number, size: number) => number;

/** aaa|abc|ccc */
const nearest: Border = (place, size) => Math.min(Math.max(place, 0), size - 1);

/** cb|abc|ba, as OpenCV's default */
const mirrored: Border = (place, size) => {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((place % period) + period) % period;
  return inside < size ? inside : period - inside;
};

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
