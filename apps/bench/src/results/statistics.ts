import { BenchError } from "../usage-error.ts";

/** The value below which the share `q` of the samples lies, interpolated linearly. Throws without samples. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new BenchError("A quantile needs at least one sample, none came.");
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

/** Median and spread of samples. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export function spread(samples: readonly number[]): Spread {
  return { median: quantile(samples, 0.5), p10: quantile(samples, 0.1), p90: quantile(samples, 0.9) };
}
