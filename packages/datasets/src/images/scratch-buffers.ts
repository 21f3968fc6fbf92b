/** Memory for a file's pixels between decoding and resizing, reused for the next file: fresh pages cost time. */
export interface Scratch {
  buffer?: Buffer;
}

/** The most bytes that a scratch keeps. */
const mostKept = 8 * 2 ** 20;

/** Memory of at least `bytes` bytes; undefined for images above the limit. */
export function scratchOf(scratch: Scratch | undefined, bytes: number): Buffer | undefined {
  if (scratch === undefined || bytes > mostKept) return undefined;
  if (scratch.buffer === undefined || scratch.buffer.length < bytes) scratch.buffer = Buffer.allocUnsafeSlow(bytes);
  return scratch.buffer;
}
