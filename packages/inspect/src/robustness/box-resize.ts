import type { Plane } from "./picture.ts";

/** Each pixel is the mean of the input pixels that it covers, as Pillow's BOX filter, columns first and rounded to bytes in between. */
export function boxResize(plane: Plane, height: number, width: number): Plane {
  const rows = boxLines(plane.values, plane.height, plane.width, width);
  const turned = transposed(rows, plane.height, width);
  const columns = boxLines(turned, width, plane.height, height);
  return { height, width, values: transposed(columns, width, height) };
}

function boxLines(values: Float64Array, lines: number, from: number, to: number): Float64Array {
  const made = new Float64Array(lines * to);
  const scale = from / to;
  const reach = 0.5 * Math.max(scale, 1);
  for (let place = 0; place < to; place++) {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const last = Math.min(from, Math.trunc(center + reach + 0.5));
    const inside = Array.from({ length: last - first }, (_, i) => first + i).filter((i) => {
      const offset = (i - center + 0.5) / Math.max(scale, 1);
      return offset > -0.5 && offset <= 0.5;
    });
    for (let line = 0; line < lines; line++) {
      const sum = inside.reduce((total, i) => total + Math.round(255 * values[line * from + i]!), 0);
      made[line * to + place] = Math.floor(sum / inside.length + 0.5) / 255;
    }
  }
  return made;
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}
