import { blurredWith } from "./blur.ts";
import { nearest, onPlanes, reflected } from "./picture.ts";
import type { Border, Draws, Picture, Plane } from "./picture.ts";

/** The middle of a plane, enlarged to the whole plane's size. */
export function clippedZoom(plane: Plane, factor: number): Plane {
  const { height, width } = plane;
  const [down, across] = [zoomedAxis(height, factor), zoomedAxis(width, factor)];
  const values = new Float64Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) values[y * width + x] = between(plane, down(y), across(x), nearest);
  return { height, width, values };
}

/** Where a pixel of the enlarged middle comes from. The enlarged middle may be some pixels too large, and is cut on both sides. */
function zoomedAxis(size: number, factor: number): (place: number) => number {
  const part = Math.ceil(size / factor);
  const first = Math.floor((size - part) / 2);
  const large = roundHalfToEven(part * factor);
  const cut = Math.floor((large - size) / 2);
  return (place) => first + (large === 1 ? 0 : ((place + cut) * (part - 1)) / (large - 1));
}

/** As Python rounds. */
function roundHalfToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Each pixel moves a little, its neighbors about as far: uniform moves, blurred. */
export function elastic(picture: Picture, strength: number, draws: Draws): Float64Array {
  const { height, width } = picture;
  const uniform = draws.uniform(2 * height * width, 0);
  const [right, down] = [0, 1].map((axis) => {
    const most = height * 0.005;
    const values = Float64Array.from(
      { length: height * width },
      (_, i) => -most + 2 * most * uniform[axis * height * width + i]!,
    );
    const smooth = blurredWith({ height, width, values }, [height * 0.01, width * 0.01], { cut: 3, border: reflected });
    return smooth.values.map((value) => value * strength);
  });
  return onPlanes(picture, (plane) => ({
    ...plane,
    values: plane.values.map((_, i) =>
      between(plane, Math.floor(i / width) + down![i]!, (i % width) + right![i]!, reflected),
    ),
  }));
}

/** The value between four pixels, in proportion to their nearness. */
function between({ height, width, values }: Plane, y: number, x: number, border: Border): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const at = (row: number, column: number): number => values[border(row, height) * width + border(column, width)]!;
  const row = (place: number): number => at(place, left) * (1 - (x - left)) + at(place, left + 1) * (x - left);
  return row(top) * (1 - (y - top)) + row(top + 1) * (y - top);
}
