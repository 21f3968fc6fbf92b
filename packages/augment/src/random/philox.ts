/**
 * Philox4x32-10: four random 32-bit words for a 128-bit counter and a 64-bit key. The same counter always gives the same
 * words, so a run can be resumed at any point. Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3.
 */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd251_1f53, c0);
    const high1 = multiplyHigh(0xcd9e_8d57, c2);
    const low0 = Math.imul(0xd251_1f53, c0);
    const low1 = Math.imul(0xcd9e_8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e37_79b9) >>> 0;
    k1 = (k1 + 0xbb67_ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

export type Words4 = readonly [number, number, number, number];

/** A stream of uniform numbers in [0, 1) with 32 random bits each; every pair of `seed` and `stream` has its own. */
export function uniformStream(seed: number, stream: number): () => number {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  let words: Words4 = [0, 0, 0, 0];
  let drawn = 0;
  return () => {
    const lane = drawn % 4;
    if (lane === 0) words = philox([drawn / 4, 0, stream >>> 0, Math.floor(stream / 2 ** 32) >>> 0], key);
    drawn++;
    return words[lane as 0 | 1 | 2 | 3] / 2 ** 32;
  };
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 0x1_0000) + (carry >>> 16);
}
