/** A range of float values, and how integers stand for it: `value = scale * (integer - zero)`. */
export interface Scale {
  readonly scale: number;
  readonly zero: number;
}

/** Rounds to the nearest whole number, and halves to the even one, as `QuantizeLinear` does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The scale of values from `low` to `high` in 8 bits without a sign; 0 is one of them, so that padding is exact. */
export function activationScale(low: number, high: number): Scale {
  const [least, largest] = [Math.min(low, 0), Math.max(high, 0)];
  const step = (largest - least) / 255;
  const scale = Math.fround(step);
  if (!(scale > 1e-30) || !Number.isFinite(scale)) return { scale: 1, zero: 0 };
  return { scale, zero: Math.min(255, Math.max(0, roundHalfEven(-least / step))) };
}

/** Weights in 8 bits with a sign, and the scale of each channel; the largest weight of a channel is 127 or -127. */
export interface IntWeights {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/** Quantizes weights of the shape `dims` by channel along `axis`. */
export function intWeights(values: Float32Array, dims: readonly number[], axis: number): IntWeights {
  const channels = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const largest = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c]!, Math.abs(values[i]!));
  }
  const scales = Float32Array.from(largest, (most) => (most > 1e-30 ? most / 127 : 1));
  const integers = Int8Array.from(values, (value, i) =>
    Math.min(127, Math.max(-127, roundHalfEven(value / scales[channelOf(i)]!))),
  );
  return { values: integers, scales };
}

/** A bias in the integers of its products: 32 bits at the scale of the input times the scale of the weights. */
export function intBias(values: Float32Array, inputScale: number, { scales }: IntWeights): IntBias | undefined {
  const own = Float32Array.from(scales, (scale) => scale * inputScale);
  const rounded = Array.from(values, (value, c) => roundHalfEven(value / own[c]!));
  // A channel of tiny weights cannot hold a large bias.
  if (rounded.some((value) => !(Math.abs(value) < 2 ** 31))) return undefined;
  return { values: Int32Array.from(rounded), scales: own };
}

interface IntBias {
  readonly values: Int32Array;
  readonly scales: Float32Array;
}
