import { WeightsError } from "../../weights-error.ts";

/** Checks the Fletcher-32 checksum that ends a chunk, and returns the chunk without it. */
export function withoutChecksum(chunk: Uint8Array, file: string, place: string): Uint8Array {
  const size = chunk.byteLength - 4;
  if (size < 0) throw new WeightsError(file, place, `a chunk of ${chunk.byteLength} bytes cannot hold its checksum`);
  const data = chunk.subarray(0, size);
  const stored = new DataView(chunk.buffer, chunk.byteOffset + size, 4).getUint32(0, true);
  const computed = fletcher32(data);
  // HDF5 before 1.6.3 wrote the bytes of each half in the machine's order.
  if (stored !== computed && stored !== withSwappedHalves(computed))
    throw new WeightsError(file, place, `a chunk is damaged: expected the Fletcher-32 ${stored}, got ${computed}`);
  return data;
}

/** HDF5's Fletcher-32: two sums modulo 65,535 over big-endian numbers of 16 bits; an odd last byte is a high byte. */
export function fletcher32(bytes: Uint8Array): number {
  let [low, high] = [0, 0];
  const even = bytes.byteLength - (bytes.byteLength % 2);
  for (let at = 0; at < even;) {
    // The sums of 360 numbers stay below 2^32.
    const end = Math.min(even, at + 720);
    for (; at < end; at += 2) {
      low += bytes[at]! * 256 + bytes[at + 1]!;
      high += low;
    }
    low = folded(low);
    high = folded(high);
  }
  if (even < bytes.byteLength) {
    low = folded(low + bytes[even]! * 256);
    high = folded(high + low);
  }
  low = folded(low);
  high = folded(high);
  return high * 65_536 + low;
}

/** The sum of both halves. */
function folded(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}

function withSwappedHalves(value: number): number {
  return (((value & 0xff00ff) << 8) | ((value >>> 8) & 0xff00ff)) >>> 0;
}
