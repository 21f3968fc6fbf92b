import { OptionError } from "@convkit/errors";

/** How the range of an activation is found from what was seen of it. */
export type Calibration = "min-max" | "percentile" | "entropy";

export const calibrations: readonly Calibration[] = ["min-max", "percentile", "entropy"];

/** The values that an activation took. */
export interface Seen {
  low: number;
  high: number;
  /** Counts of the values between `low` and `high`; empty where only these two are needed. */
  readonly counts: Float64Array;
}

const bins = 2048;

/** A record of values; with counts for the calibrations that need more than the smallest and the largest value. */
export function newSeen(calibration: Calibration): Seen {
  return { low: Infinity, high: -Infinity, counts: new Float64Array(calibration === "min-max" ? 0 : bins) };
}

/** Widens the range by values. Throws for values that are no numbers. */
export function seeRange(seen: Seen, values: Float32Array, name: string): void {
  let { low, high } = seen;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value !== value) throw new OptionError(`quantize: expected numbers, got NaN at ${name}: look at the data.`);
  }
  seen.low = low;
  seen.high = high;
}

/** Counts values between the range that was found before. */
export function seeCounts({ low, high, counts }: Seen, values: Float32Array): void {
  const factor = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.min(bins - 1, Math.floor((values[i]! - low) * factor));
    counts[bin]! += 1;
  }
}

/** The range that the integers stand for. */
export function rangeOf(seen: Seen, calibration: Calibration, percentile: number): readonly [number, number] {
  if (calibration === "min-max" || !(seen.high > seen.low)) return [seen.low, seen.high];
  return calibration === "percentile" ? percentileRange(seen, percentile) : entropyRange(seen);
}

/** Between the values that half of the rest on each side lies beyond. */
function percentileRange({ low, high, counts }: Seen, percentile: number): readonly [number, number] {
  const total = counts.reduce((a, b) => a + b, 0);
  const cut = (total * (100 - percentile)) / 200;
  const width = (high - low) / bins;
  let [below, first] = [0, 0];
  while (below + counts[first]! <= cut && first < bins - 1) below += counts[first++]!;
  let [above, last] = [0, bins - 1];
  while (above + counts[last]! <= cut && last > first) above += counts[last--]!;
  return [low + first * width, low + (last + 1) * width];
}

const levels = 128;

/**
 * The threshold of the sizes of the values at which their distribution in 128 levels is nearest to the distribution with all values
 * beyond the threshold moved to it, by the Kullback-Leibler divergence (Migacz 2017, 8-bit inference with TensorRT).
 */
function entropyRange(seen: Seen): readonly [number, number] {
  const { low, high } = seen;
  const sizes = sizeCounts(seen);
  // Zeros, half of all values after a ReLU, are exact in every scale: they must not decide, as in NVIDIA's pytorch-quantization.
  sizes[0] = sizes[1]!;
  let [best, bestAt] = [Infinity, bins];
  let beyond = sizes.reduce((a, b) => a + b, 0) - sizes.subarray(0, levels).reduce((a, b) => a + b, 0);
  for (let end = levels; end <= bins; end++) {
    const divergence = divergenceAt(sizes, end, beyond);
    if (divergence < best) [best, bestAt] = [divergence, end];
    beyond -= sizes[end] ?? 0;
  }
  const threshold = (Math.max(Math.abs(low), Math.abs(high)) * bestAt) / bins;
  return [Math.max(low, -threshold), Math.min(high, threshold)];
}

/** Counts of the sizes from 0 to the largest. */
function sizeCounts({ low, high, counts }: Seen): Float64Array {
  const most = Math.max(Math.abs(low), Math.abs(high));
  const width = (high - low) / bins;
  const sizes = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const middle = Math.abs(low + (bin + 0.5) * width);
    sizes[Math.min(bins - 1, Math.floor((middle / most) * bins))]! += counts[bin]!;
  }
  return sizes;
}

function divergenceAt(sizes: Float64Array, end: number, beyond: number): number {
  const inside = sizes.subarray(0, end);
  let total = beyond;
  for (const count of inside) total += count;
  if (total === 0) return Infinity;
  let divergence = 0;
  let insideTotal = total - beyond;
  if (insideTotal === 0) insideTotal = 1;
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.floor((level * end) / levels), Math.floor(((level + 1) * end) / levels)];
    let [sum, filled] = [0, 0];
    for (let bin = from; bin < to; bin++) {
      sum += inside[bin]!;
      if (inside[bin]! > 0 || (bin === end - 1 && beyond > 0)) filled += 1;
    }
    for (let bin = from; bin < to; bin++) {
      const p = (inside[bin]! + (bin === end - 1 ? beyond : 0)) / total;
      if (p === 0) continue;
      const q = sum / filled / insideTotal;
      // Values where the levels have none: this threshold cannot be taken.
      if (q === 0) return Infinity;
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
}
