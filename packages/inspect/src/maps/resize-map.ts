/**
 * Resizes a map by bilinear interpolation between the centers of pixels, as OpenCV does: `[h, w] -> [height, width]`.
 */
export function resizeMap(
  values: Float32Array,
  [h, w]: readonly [number, number],
  [height, width]: readonly [number, number],
): Float32Array {
  const [rows, columns] = [taps(h, height), taps(w, width)];
  const result = new Float32Array(height * width);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => {
      const at = (r: number, c: number): number => values[r * w + c] as number;
      const above = at(row.from, column.from) * (1 - column.share) + at(row.from, column.to) * column.share;
      const below = at(row.to, column.from) * (1 - column.share) + at(row.to, column.to) * column.share;
      result[y * width + x] = above * (1 - row.share) + below * row.share;
    }),
  );
  return result;
}

/** For each new position the two old ones around it, and the share of the second. */
function taps(from: number, to: number): { from: number; to: number; share: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const lower = Math.floor(place);
    return { from: lower, to: Math.min(lower + 1, from - 1), share: place - lower };
  });
}

/** The map with its smallest value at 0 and its largest at 1; a map of equal values becomes 0. */
export function stretched(values: Float32Array): Float32Array {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity) - least;
  return values.map((value) => (value - least) / (1e-7 + most));
}
