/** Memory for the pixels of a file between its decoding and its resizing, used again for the next: fresh pages cost time. */
export interface Scratch {
  buffer?: Buffer;
}

/** The most bytes that a scratch may keep. */
const mostKept = 8 * 2 ** 20;

/** Memory of at least `bytes` bytes; undefined for images above the limit. */
export function scratchOf(scratch: Scratch | undefined, bytes: number): Buffer | undefined {
  if (scratch === undefined || bytes > mostKept) return undefined;
  if (scratch.buffer === undefined || scratch.buffer.length < bytes) scratch.buffer = Buffer.allocUnsafeSlow(bytes);
  return scratch.buffer;
}
