/** Floats of 8 bits as float32: OCP's E4M3 without infinities, and E5M2 (https://arxiv.org/abs/2209.05433). */
export function widenFloat8(bytes: Uint8Array, dtype: "float8_e4m3fn" | "float8_e5m2"): Float32Array<ArrayBuffer> {
  const values = dtype === "float8_e5m2" ? e5m2 : e4m3;
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = values[bytes[i]!]!;
  return out;
}

function tableOf(
  exponentBits: number,
  bias: number,
  special: (exponent: number, fraction: number) => number | undefined,
) {
  const fractionBits = 7 - exponentBits;
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const sign = byte < 0x80 ? 1 : -1;
    const exponent = (byte & 0x7f) >> fractionBits;
    const fraction = byte & ((1 << fractionBits) - 1);
    const one = 1 << fractionBits;
    const finite = exponent === 0 ? (fraction / one) * 2 ** (1 - bias) : (1 + fraction / one) * 2 ** (exponent - bias);
    return sign * (special(exponent, fraction) ?? finite);
  });
}

const e4m3 = tableOf(4, 7, (exponent, fraction) => (exponent === 15 && fraction === 7 ? NaN : undefined));
const e5m2 = tableOf(5, 15, (exponent, fraction) => (exponent < 31 ? undefined : fraction === 0 ? Infinity : NaN));
