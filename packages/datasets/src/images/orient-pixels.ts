import type { Pixels } from "./resize/resize.ts";

/**
 * For each EXIF orientation from 2 to 8: the position in the stored image of h x w of pixel (y, x) of the upright
 * image.
 */
const sources: Readonly<Record<number, (y: number, x: number, h: number, w: number) => readonly [number, number]>> = {
  2: (y, x, _, w) => [y, w - 1 - x],
  3: (y, x, h, w) => [h - 1 - y, w - 1 - x],
  4: (y, x, h) => [h - 1 - y, x],
  5: (y, x) => [x, y],
  6: (y, x, h) => [h - 1 - x, y],
  7: (y, x, h, w) => [h - 1 - x, w - 1 - y],
  8: (y, x, _, w) => [x, w - 1 - y],
};

/** Turns an image upright by its EXIF orientation; numbers other than 2 to 8 leave it unchanged. */
export function orientPixels(image: Pixels, orientation: number): Pixels {
  const source = sources[orientation];
  if (source === undefined) return image;
  const [h, w, c] = image.shape;
  const [height, width] = orientation >= 5 ? [w, h] : [h, w];
  const data = new Uint8Array(image.data.length);
  let to = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [row, column] = source(y, x, h, w);
      const from = (row * w + column) * c;
      for (let channel = 0; channel < c; channel++) data[to++] = image.data[from + channel]!;
    }
  return { data, shape: [height, width, c] };
}
