/** A histogram as TensorBoard stores it: `bucket[i]` values lie above the limit before and not above `bucket_limit[i]`. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sum_squares: number;
  readonly bucket_limit: number[];
  readonly bucket: number[];
}

const limits = exponentialLimits();

/** Counts values in TensorFlow's buckets, which grow by a tenth from 1e-12 to 1e20 on both sides of zero. Skips values that are not finite. */
export function histogram(values: ArrayLike<number>): Histogram {
  const counts = new Map<number, number>();
  let min = Infinity;
  let max = -Infinity;
  let num = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    const bucket = bucketOf(value);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    min = Math.min(min, value);
    max = Math.max(max, value);
    num += 1;
    sum += value;
    squares += value * value;
  }
  if (num === 0) return { min: 0, max: 0, num: 0, sum: 0, sum_squares: 0, bucket_limit: [0], bucket: [0] };
  const used = [...counts.keys()].toSorted((a, b) => a - b);
  const [first, last] = [used[0]!, used.at(-1)!];
  // The empty bucket before the first used one gives its lower limit.
  const from = Math.max(first - 1, 0);
  const range = Array.from({ length: last - from + 1 }, (_, i) => from + i);
  return {
    min,
    max,
    num,
    sum,
    sum_squares: squares,
    bucket_limit: range.map((bucket) => limits[bucket]!),
    bucket: range.map((bucket) => counts.get(bucket) ?? 0),
  };
}

function bucketOf(value: number): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= limits[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function exponentialLimits(): number[] {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  return [-Number.MAX_VALUE, ...positive.map((limit) => -limit).toReversed(), 0, ...positive, Number.MAX_VALUE];
}
