import { WeightsError } from "../../weights-error.ts";

/** Unpacks LibLZF, h5py's `compression="lzf"`, to at most `limit` bytes. Source: liblzf's lzf_d.c. */
export function unpackLzf(packed: Uint8Array, limit: number, file: string, place: string): Uint8Array {
  const fail = (problem: string): never => {
    throw new WeightsError(file, place, `a chunk does not unpack by LZF: ${problem}`);
  };
  const out = new Uint8Array(limit);
  let [from, to] = [0, 0];
  while (from < packed.byteLength) {
    const control = packed[from++]!;
    if (control < 32) {
      const length = control + 1;
      if (from + length > packed.byteLength || to + length > limit) fail("a literal is cut off");
      out.set(packed.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) length += packed[from++] ?? fail("a length is cut off");
    let source = to - ((control & 0x1f) << 8) - 1 - (packed[from++] ?? fail("a reference is cut off"));
    if (source < 0 || to + length > limit) fail("a reference leads out of the chunk");
    // The source may overlap what is written.
    while (length-- > 0) out[to++] = out[source++]!;
  }
  return out.subarray(0, to);
}
