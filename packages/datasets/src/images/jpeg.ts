import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { JpegHead } from "./jpeg-head.ts";
import type { Pixels } from "./resize/resize.ts";

/**
 * Decodes a JPEG with libjpeg-turbo's fast integer DCT and smooth chroma. These are TensorFlow's defaults, so the bytes
 * are equal, and it is twice as fast as libvips. Undefined if libjpeg-turbo warns or has no binary for this platform.
 * The pixels are written into `scratch` if it is large enough.
 */
export async function decodeJpeg(bytes: Uint8Array, channels: 1 | 3, scratch?: Buffer): Promise<Pixels | undefined> {
  const turbo = turboJpeg();
  if (turbo === undefined) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options = { format: formatOf(turbo, channels) };
  try {
    const { data, width, height } = await (scratch === undefined
      ? turbo.decompress(buffer, options)
      : turbo.decompress(buffer, scratch, options));
    return { data: data.subarray(0, height * width * channels), shape: [height, width, channels] };
  } catch {
    return undefined;
  }
}

/** Like `decodeJpeg`, but in this thread. */
export function decodeJpegSync(turbo: TurboJpeg, bytes: Buffer, channels: 1 | 3, scratch?: Buffer): Pixels | undefined {
  const options = { format: formatOf(turbo, channels) };
  try {
    const { data, width, height } =
      scratch === undefined ? turbo.decompressSync(bytes, options) : turbo.decompressSync(bytes, scratch, options);
    return { data: data.subarray(0, height * width * channels), shape: [height, width, channels] };
  } catch {
    return undefined;
  }
}

function formatOf(turbo: TurboJpeg, channels: 1 | 3): number {
  return channels === 1 ? turbo.FORMAT_GRAY : turbo.FORMAT_RGB;
}

/** True if libjpeg-turbo may decode a file: a frame was found, it is upright, and it is not CMYK. */
export function isPlainJpeg(head: JpegHead | undefined, orient: boolean): head is JpegHead {
  return head?.components !== undefined && head.components !== 4 && (!orient || head.orientation === 1);
}

/** The part of @julusian/jpeg-turbo's addon that is used here. */
export interface TurboJpeg {
  FORMAT_RGB: number;
  FORMAT_GRAY: number;
  decompress(jpeg: Buffer, options: { format: number }): Promise<TurboPixels>;
  decompress(jpeg: Buffer, into: Buffer, options: { format: number }): Promise<TurboPixels>;
  decompressSync(jpeg: Buffer, options: { format: number }): TurboPixels;
  decompressSync(jpeg: Buffer, into: Buffer, options: { format: number }): TurboPixels;
}

interface TurboPixels {
  /** The whole target buffer, which may be longer than the image. */
  data: Buffer;
  width: number;
  height: number;
}

let loaded: { turbo: TurboJpeg | undefined } | undefined;

/** libjpeg-turbo's addon, loaded for the first JPEG; undefined on platforms without a binary. */
export function turboJpeg(): TurboJpeg | undefined {
  loaded ??= { turbo: load() };
  return loaded.turbo;
}

/**
 * Loads the addon's binary itself: @julusian/jpeg-turbo would bring a compiler's build system (82 packages) and an
 * install script, which its binaries do not need.
 */
function load(): TurboJpeg | undefined {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform}-${process.arch}`;
  // The binary for glibc cannot be loaded with musl, and the other way round.
  for (const name of process.platform === "linux" ? [platform, `${platform}-musl`] : [platform]) {
    try {
      return require(path.join(binaries(require), `jpeg-turbo-${name}`, "node-napi-v7.node")) as TurboJpeg;
    } catch {
      // No binary for this platform or C library.
    }
  }
  return undefined;
}

/** The folder of the binaries: `pnpm build` copies them into dist; a checkout uses the package that has them. */
function binaries(require: NodeJS.Require): string {
  const built = fileURLToPath(new URL("../prebuilds", import.meta.url));
  return existsSync(built)
    ? built
    : path.join(path.dirname(require.resolve("@julusian/jpeg-turbo/package.json")), "prebuilds");
}
