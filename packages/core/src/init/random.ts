/** A 32-bit hash of text (FNV-1a, then mixed), for seeds from a layer's path. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** `length` numbers, uniform in [low, high): number `i` depends only on the seed and `i`. */
export function uniformValues(length: number, low: number, high: number, seed: number): Float32Array {
  const values = new Float32Array(length);
  const start = mix(seed);
  const scale = (high - low) / 2 ** 24;
  for (let i = 0; i < length; i++) values[i] = low + scale * (mix(start + Math.imul(i, 0x9e3779b9)) >>> 8);
  return values;
}

/** `length` numbers from the normal distribution. */
export function normalValues(length: number, mean: number, deviation: number, seed: number): Float32Array {
  return quantileValues(length, mean, deviation, seed, normalTable());
}

/** `length` numbers from the normal distribution cut at two deviations; `deviation` is the deviation before the cut. */
export function truncatedNormalValues(length: number, mean: number, deviation: number, seed: number): Float32Array {
  return quantileValues(length, mean, deviation, seed, truncatedTable());
}

/** Avalanche of 32 bits: C. Wellons, "lowbias32", https://nullprogram.com/blog/2018/07/31/ */
function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x21f0aaad);
  h ^= h >>> 15;
  h = Math.imul(h, 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

// A table of quantiles converts a uniform number to a normal one in a few nanoseconds. The sixty million weights of a
// ResNet-152 are drawn in a second; tfjs' own initializers take half a minute.
const BINS = 1 << 14;

function quantileValues(
  length: number,
  mean: number,
  deviation: number,
  seed: number,
  table: Float64Array,
): Float32Array {
  const values = new Float32Array(length);
  const start = mix(seed);
  const fraction = 1 / 2 ** 18;
  for (let i = 0; i < length; i++) {
    const bits = mix(start + Math.imul(i, 0x9e3779b9));
    const bin = bits >>> 18;
    const low = table[bin] as number;
    values[i] = mean + deviation * (low + ((table[bin + 1] as number) - low) * ((bits & 0x3ffff) * fraction));
  }
  return values;
}

let truncated: Float64Array | undefined;
let normal: Float64Array | undefined;

function truncatedTable(): Float64Array {
  truncated ??= Float64Array.from({ length: BINS + 1 }, (_, i) => quantile(TAIL + (1 - 2 * TAIL) * (i / BINS)));
  return truncated;
}

function normalTable(): Float64Array {
  // The first and the last bin would extend to infinity: they end at 6.2 deviations.
  const edge = 2 ** -32;
  normal ??= Float64Array.from({ length: BINS + 1 }, (_, i) => quantile(Math.min(Math.max(i / BINS, edge), 1 - edge)));
  return normal;
}

/** The probability of a normal number below -2. */
const TAIL = 0.022750131948179209;

/** Inverse of the normal distribution: P. J. Acklam's rational approximation, relative error 1.2e-9. */
function quantile(p: number): number {
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
      q) /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
      1)
  );
}
