import { nearest } from "./picture.ts";
import type { Plane } from "./picture.ts";

/**
 * Edges of a plane of bytes, 1 on an edge and else 0, as OpenCV's `Canny`: the ridges of the gradient, measured as |dx| + |dy| of
 * Sobel's filters, that exceed `high`, and those above `low` that touch them. Canny 1986
 */
export function cannyEdges({ height, width, values }: Plane, low: number, high: number): Plane {
  const at = (y: number, x: number): number => values[nearest(y, height) * width + nearest(x, width)]!;
  const slope = (y: number, x: number, dy: number, dx: number): number =>
    [-1, 0, 1].reduce((sum, side) => {
      const [away, near] = [at(y + dy + side * dx, x + dx + side * dy), at(y - dy + side * dx, x - dx + side * dy)];
      return sum + (side === 0 ? 2 : 1) * (away - near);
    }, 0);
  const right = values.map((_, i) => slope(Math.floor(i / width), i % width, 0, 1));
  const down = values.map((_, i) => slope(Math.floor(i / width), i % width, 1, 0));
  const magnitude = (y: number, x: number): number =>
    y < 0 || y >= height || x < 0 || x >= width ? 0 : Math.abs(right[y * width + x]!) + Math.abs(down[y * width + x]!);
  const isRidge = (i: number): boolean => {
    const [y, x, across, along] = [Math.floor(i / width), i % width, right[i]!, down[i]!];
    const own = magnitude(y, x);
    if (own <= low) return false;
    const tangent = (Math.abs(along) * 32_768) / 13_573; // tan 22.5°, as OpenCV rounds it
    if (tangent < Math.abs(across)) return own > magnitude(y, x - 1) && own >= magnitude(y, x + 1);
    if (Math.abs(along) * 32_768 > Math.abs(across) * (13_573 + 65_536))
      return own > magnitude(y - 1, x) && own >= magnitude(y + 1, x);
    const side = across < 0 !== along < 0 ? -1 : 1;
    return own > magnitude(y - 1, x - side) && own > magnitude(y + 1, x + side);
  };
  const ridges = Array.from(values, (_, i) => isRidge(i));
  const made = new Float64Array(values.length);
  const waiting = [...ridges.keys()].filter(
    (i) => ridges[i] === true && magnitude(Math.floor(i / width), i % width) > high,
  );
  for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
    made[i] = 1;
    const [y, x] = [Math.floor(i / width), i % width];
    for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++)
      for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
        const next = row * width + column;
        if (ridges[next] === true && made[next] === 0) waiting.push(next);
      }
  }
  return { height, width, values: made };
}
