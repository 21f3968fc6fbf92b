/** The largest difference between a number and its scaled unit number, relative to the largest number: float32's rounding. */
const TOLERANCE = 1e-6;

/** Significant digits of numbers that people write. */
const DIGITS = 4;

/**
 * Finds the `offset` and `factor` with `values = offset + factor * unit`. The numbers in `unit` are drawn from the same
 * seed, between 0 and 1 or with mean 0 and deviation 1. Undefined if no such numbers exist, or if a single value does
 * not determine them.
 */
export function scaleOf(
  values: ArrayLike<number>,
  unit: ArrayLike<number>,
): { offset: number; factor: number } | undefined {
  const indices = Array.from(unit, (_, index) => index);
  const largest = indices.reduce((most, i) => Math.max(most, Math.abs(unit[i] as number)), 0);
  const fits = (offset: number, factor: number): boolean => {
    const size = Math.abs(offset) + Math.abs(factor) * largest;
    return indices.every(
      (i) => Math.abs((values[i] as number) - (offset + factor * (unit[i] as number))) <= TOLERANCE * size,
    );
  };
  if (fits(0, 1)) return { offset: 0, factor: 1 };
  const at = (compare: (a: number, b: number) => boolean): number =>
    indices.reduce((best, i) => (compare(unit[i] as number, unit[best] as number) ? i : best), 0);
  const [low, high] = [at((a, b) => a < b), at((a, b) => a > b)];
  const [from, to] = [unit[low] as number, unit[high] as number];
  if (!(to > from)) return undefined;
  const factor = ((values[high] as number) - (values[low] as number)) / (to - from);
  const offset = (values[low] as number) - factor * from;
  const scale = Math.abs(offset) + Math.abs(factor);
  // Rounds a term to 0 if it is negligible beside the other.
  const cleared = (x: number): number => (Math.abs(x) < TOLERANCE * scale ? 0 : x);
  const rounds = [(x: number) => written(cleared(x)), cleared, (x: number) => x];
  const found = rounds.map((round) => ({ offset: round(offset), factor: round(factor) }));
  return found.find((round) => fits(round.offset, round.factor));
}

/** Rounds to `DIGITS` significant digits. */
function written(x: number): number {
  return Number(x.toPrecision(DIGITS));
}
