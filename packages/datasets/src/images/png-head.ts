import { DataError } from "../data-error.ts";

/** Samples a pixel has, by the color type in the header. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Deflate makes at most so many bytes of one. */
const mostBytes = 1032;

/**
 * Throws where a PNG's header promises more pixels than the file's bytes can hold: memory would be taken for all of them before that is
 * noticed.
 */
export function checkPngHead(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = 0x49484452;
  if (bytes.length < 33 || view.getUint32(12) !== header) return;
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const bits = view.getUint8(24) * (samples[view.getUint8(25)] ?? 1);
  if ((width * height * bits) / 8 > bytes.length * mostBytes)
    throw new DataError(`it says it is ${height}x${width}, more pixels than its ${bytes.length} bytes can hold`);
}
