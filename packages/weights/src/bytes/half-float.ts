/** IEEE half floats (as their 16 bits) as float32. */
export function widenFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfValues[halves[i]!]!;
  return out;
}

/** Brain floats (the upper 16 bits of a float32) as float32. */
export function widenBfloat16(brains: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(brains.length);
  for (let i = 0; i < brains.length; i++) bits[i] = brains[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Float32 as the bits of the nearest IEEE half, ties to even; too large values become infinity. */
export function narrowFloat16(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) {
    const b = bits[i]!;
    const sign = (b >>> 16) & 0x8000;
    const magnitude = b & 0x7fffffff;
    if (magnitude > 0x7f800000) out[i] = sign | 0x7e00;
    else if (magnitude >= 0x477ff000) out[i] = sign | 0x7c00;
    else if (magnitude >= 0x38800000) {
      const rebased = magnitude - 0x38000000;
      out[i] = sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
    } else out[i] = sign | subnormalHalf(magnitude);
  }
  return out;
}

/** The half bits of a magnitude below 2^-14: the mantissa counts units of 2^-24. */
function subnormalHalf(magnitude: number): number {
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return 0;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return whole + (rest > half || (rest === half && (whole & 1) === 1) ? 1 : 0);
}

const halfValues = Float32Array.from({ length: 0x10000 }, (_, half) => {
  const sign = (half & 0x8000) === 0 ? 1 : -1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
});
