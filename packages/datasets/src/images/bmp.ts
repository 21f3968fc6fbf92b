import { DataError } from "../data-error.ts";
import { checkPixels } from "./decode-options.ts";
import type { Pixels } from "./resize/resize.ts";

/** The contents of a bitmap's headers. */
interface Head {
  readonly width: number;
  readonly height: number;
  /** True if the first row is the top; usually the first row is the bottom. */
  readonly isTopDown: boolean;
  readonly bits: number;
  readonly pixels: number;
  /** `[entries, 3]` as RGB, for 1, 4 and 8 bits. */
  readonly palette: Uint8Array;
  /** For 16 and 32 bits: which bits of a pixel are red, green and blue. */
  readonly masks: readonly [number, number, number];
}

/** BI_RGB and BI_BITFIELDS. */
const plain = 0;
const bitFields = 3;

/**
 * Decodes a Windows or OS/2 bitmap to `[h, w, 3]`: 1, 4, 8, 16, 24 or 32 bits, uncompressed. An alpha channel is
 * dropped. Throws for anything else. Microsoft, Bitmap Storage, https://learn.microsoft.com/windows/win32/gdi/bitmap-
 * storage.
 */
export function decodeBmp(bytes: Uint8Array, pixelLimit?: number): Pixels {
  const head = bmpHead(bytes);
  const { width, height, bits } = head;
  checkPixels(height, width, pixelLimit);
  const stride = 4 * Math.ceil((width * bits) / 32);
  const missing = head.pixels + stride * height - bytes.length;
  // Some writers omit the padding of the last row.
  if (missing > stride - Math.ceil((width * bits) / 8)) throw new DataError(`it ends ${missing} bytes too early`);
  const data = new Uint8Array(height * width * 3);
  const read = rowReader(bytes, head);
  for (let y = 0; y < height; y++) {
    read(head.pixels + (head.isTopDown ? y : height - 1 - y) * stride, data, y * width * 3);
  }
  return { data, shape: [height, width, 3] };
}

/** Reads the headers. Throws if they are truncated or name an unsupported format. */
export function bmpHead(bytes: Uint8Array): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 26) throw new DataError("its header is cut off");
  const [pixels, size] = [view.getUint32(10, true), view.getUint32(14, true)];
  const isOs2 = size === 12;
  if (bytes.length < 14 + size) throw new DataError("its header is cut off");
  const width = isOs2 ? view.getUint16(18, true) : view.getInt32(18, true);
  const rows = isOs2 ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isOs2 ? 24 : 28, true);
  const compression = size >= 40 ? view.getUint32(30, true) : plain;
  if (width < 1 || rows === 0) throw new DataError(`it says it is ${rows}x${width}`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new DataError(`it has ${bits} bits a pixel`);
  if (compression !== plain && !(compression === bitFields && bits >= 16 && bits !== 24)) {
    throw new DataError(`it is a bitmap of compression ${compression}; save it uncompressed, or as PNG`);
  }
  const afterHeader = 14 + size + (compression === bitFields && size === 40 ? 12 : 0);
  if (pixels < 14 + size || (compression === bitFields && bytes.length < 66))
    throw new DataError("its header is damaged");
  return {
    width,
    height: Math.abs(rows),
    isTopDown: rows < 0,
    bits,
    pixels,
    palette: bits <= 8 ? paletteOf(bytes.subarray(afterHeader, Math.max(afterHeader, pixels)), isOs2 ? 3 : 4) : none,
    masks: masksOf(view, bits, compression),
  };
}

const none = new Uint8Array(0);

function paletteOf(entries: Uint8Array, length: number): Uint8Array {
  const count = Math.min(256, Math.floor(entries.length / length));
  return Uint8Array.from({ length: count * 3 }, (_, i) => entries[Math.floor(i / 3) * length + 2 - (i % 3)]!);
}

function masksOf(view: DataView, bits: number, compression: number): readonly [number, number, number] {
  if (compression === bitFields) {
    return [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true)];
  }
  return bits === 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff_0000, 0xff00, 0xff];
}

/** Writes the row that begins at byte `from` as RGB. */
function rowReader(bytes: Uint8Array, head: Head): (from: number, data: Uint8Array, to: number) => void {
  const { width, bits, palette, masks } = head;
  if (bits <= 8) {
    const perByte = 8 / bits;
    return (from, data, to) => {
      for (let x = 0; x < width; x++) {
        const shift = 8 - bits * ((x % perByte) + 1);
        const index = (bytes[from + Math.floor(x / perByte)]! >> shift) & (2 ** bits - 1);
        if (3 * index >= palette.length) throw new DataError(`it has no color ${index} in its palette`);
        data.set(palette.subarray(3 * index, 3 * index + 3), to + 3 * x);
      }
    };
  }
  if (bits === 24) {
    return (from, data, to) => {
      for (let i = 0; i < 3 * width; i += 3) {
        data[to + i] = bytes[from + i + 2]!;
        data[to + i + 1] = bytes[from + i + 1]!;
        data[to + i + 2] = bytes[from + i]!;
      }
    };
  }
  const scales = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    const most = mask >>> shift;
    return { mask, shift, most };
  });
  const bytesPerPixel = bits / 8;
  return (from, data, to) => {
    for (let x = 0; x < width; x++) {
      let word = 0;
      for (let byte = bytesPerPixel - 1; byte >= 0; byte--)
        word = (word << 8) | bytes[from + x * bytesPerPixel + byte]!;
      for (const [channel, { mask, shift, most }] of scales.entries()) {
        const value = (word & mask) >>> shift;
        data[to + 3 * x + channel] = most === 0 ? 0 : most === 255 ? value : Math.floor((value * 255) / most);
      }
    }
  };
}
