import { nearest } from "./picture.ts";
import type { Plane } from "./picture.ts";

/**
 * The blur of a camera that moves on in one direction: each pixel is the mean of those behind it on a line, weighted by the half of
 * a Gaussian, as in ImageMagick. The border pixels are repeated. `angle` is in degrees; 0 is to the left.
 */
export function motionBlur(plane: Plane, radius: number, deviation: number, angle: number): Plane {
  const { height, width, values } = plane;
  const count = 2 * radius + 1;
  const weights = Array.from({ length: count }, (_, i) => Math.exp(-(i ** 2) / (2 * deviation ** 2)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [sine, cosine] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const made = new Float64Array(values.length);
  weights.forEach((weight, i) => {
    const [down, right] = [Math.ceil(i * sine - 0.5), Math.ceil(i * cosine - 0.5)];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        made[y * width + x]! +=
          (weight / total) * values[nearest(y + down, height) * width + nearest(x + right, width)]!;
  });
  return { height, width, values: made };
}
