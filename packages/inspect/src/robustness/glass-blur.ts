import { gaussianBlur } from "./blur.ts";
import { clip, onPlanes } from "./picture.ts";
import type { Draws, Picture } from "./picture.ts";

/**
 * Seen through frosted glass: blurred, each pixel replaced by a near one, blurred again. In ImageNet-C's code two pixels are to be
 * swapped, but NumPy's views make it a copy; so it is here.
 */
export function glassBlur(
  picture: Picture,
  [deviation, reach, rounds]: readonly [deviation: number, reach: number, rounds: number],
  draws: Draws,
): Float64Array {
  const { height, width, channels } = picture;
  const blur = (values: Float64Array): Float64Array =>
    onPlanes({ ...picture, values }, (plane) => gaussianBlur(plane, deviation));
  const moved = blur(picture.values).map((value) => Math.floor(clip(value) * 255 + 1e-9) / 255);
  const [rows, columns] = [Math.max(height - 2 * reach, 0), Math.max(width - 2 * reach, 0)];
  const uniform = draws.uniform(2 * rounds * rows * columns, 0);
  const offset = (place: number): number => Math.floor(uniform[place]! * 2 * reach) - reach;
  let used = 0;
  for (let round = 0; round < rounds; round++)
    for (let y = height - reach; y > reach; y--)
      for (let x = width - reach; x > reach; x--, used += 2) {
        const from = ((y + offset(used + 1)) * width + x + offset(used)) * channels;
        moved.copyWithin((y * width + x) * channels, from, from + channels);
      }
  return blur(moved);
}
