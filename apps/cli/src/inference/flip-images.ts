/** Reverses every row of pixels: the mirror images. `[n, h, w, c] -> [n, h, w, c]` */
export function flipHorizontally<Pixels extends Uint8Array | Float32Array>(
  data: Pixels,
  width: number,
  channels: number,
): Pixels {
  const flipped = data.slice() as Pixels;
  for (let row = 0; row < data.length; row += width * channels)
    for (let x = 0; x < width; x += 1) {
      const from = row + x * channels;
      flipped.set(data.subarray(from, from + channels), row + (width - 1 - x) * channels);
    }
  return flipped;
}
