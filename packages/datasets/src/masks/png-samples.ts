import { inflate } from "@convkit/datasets/platform";
import { DataError, reasonOf } from "../data-error.ts";
import { checkPixels } from "../images/decode-options.ts";

/** The samples of a grayscale or palette PNG as they are stored: `[h, w]` gray values or palette indices. */
export interface Samples {
  readonly data: Uint8Array | Uint16Array;
  readonly height: number;
  readonly width: number;
}

const kinds = { gray: 0, palette: 3 } as const;

/**
 * Reads the samples of a grayscale or palette PNG without applying its palette, which image libraries do. Undefined for
 * a PNG with colors or transparency, and for an interlaced one. Throws a `DataError` for a damaged file.
 */
export async function pngSamples(bytes: Uint8Array, pixelLimit?: number): Promise<Samples | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw new DataError("its PNG header is missing");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, kind, interlaced] = [bytes[24]!, bytes[25]!, bytes[28]!];
  if ((kind !== kinds.gray && kind !== kinds.palette) || interlaced !== 0) return undefined;
  if (![1, 2, 4, 8, 16].includes(depth)) throw new DataError(`its PNG header says ${depth} bits a sample`);
  checkPixels(height, width, pixelLimit);
  const stride = Math.ceil((width * depth) / 8);
  const rows = await inflated(imageData(bytes, view), height * (stride + 1));
  return {
    data: unpacked(unfiltered(rows, height, stride, Math.max(1, depth / 8)), { height, width, depth }),
    height,
    width,
  };
}

/** The bytes of all IDAT chunks. */
function imageData(bytes: Uint8Array, view: DataView): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (at + 12 + length > bytes.length) throw new DataError("it ends within a PNG chunk");
    if (type === 0x49444154) parts.push(bytes.subarray(at + 8, at + 8 + length));
    if (type === 0x49454e44) break;
    at += 12 + length;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

async function inflated(packed: Uint8Array, length: number): Promise<Uint8Array> {
  let made: Uint8Array;
  try {
    // One byte more than expected, so that a stream that goes on is found and not made whole.
    made = await inflate(packed, length + 1);
  } catch (error) {
    throw new DataError(`its PNG data is damaged: ${reasonOf(error)}`);
  }
  if (made.length < length) throw new DataError(`its PNG data has ${made.length} bytes; expected ${length}`);
  return made;
}

/** Undoes the filter of each row (PNG specification, section 9). `[height, 1 + stride] -> [height, stride]` */
function unfiltered(rows: Uint8Array, height: number, stride: number, step: number): Uint8Array {
  const made = new Uint8Array(height * stride);
  for (let row = 0; row < height; row += 1) {
    const filter = rows[row * (stride + 1)]!;
    if (filter > 4) throw new DataError(`its PNG data is damaged: row ${row} has the filter ${filter}`);
    for (let column = 0; column < stride; column += 1) {
      const at = row * stride + column;
      const left = column < step ? 0 : made[at - step]!;
      const above = row === 0 ? 0 : made[at - stride]!;
      const corner = column < step || row === 0 ? 0 : made[at - stride - step]!;
      made[at] = rows[at + row + 1]! + predicted(filter, left, above, corner);
    }
  }
  return made;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const [toLeft, toAbove, toCorner] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs);
  if (toLeft! <= toAbove! && toLeft! <= toCorner!) return left;
  return toAbove! <= toCorner! ? above : corner;
}

/** One sample an element; bits run from the highest. */
function unpacked(
  rows: Uint8Array,
  { height, width, depth }: { readonly height: number; readonly width: number; readonly depth: number },
): Uint8Array | Uint16Array {
  if (depth === 8) return rows;
  if (depth === 16)
    return Uint16Array.from({ length: height * width }, (_, i) => rows[2 * i]! * 256 + rows[2 * i + 1]!);
  const [stride, each, most] = [Math.ceil((width * depth) / 8), 8 / depth, 2 ** depth - 1];
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const column = i % width;
    const byte = rows[Math.floor(i / width) * stride + Math.floor(column / each)]!;
    return (byte >> (8 - depth * ((column % each) + 1))) & most;
  });
}
