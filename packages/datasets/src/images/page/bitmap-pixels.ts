import { DataError } from "../../data-error.ts";
import { checkPixels } from "../decode-options.ts";
import type { ImageFormat } from "../image-format.ts";
import type { Pixels } from "../resize/resize.ts";

/**
 * Decodes an image file by the browser, without color profiles, turned upright by its EXIF orientation: `[h, w, 3]`. An alpha channel is
 * dropped.
 */
export async function bitmapPixels(bytes: Uint8Array, format: ImageFormat, pixelLimit: number): Promise<Pixels> {
  const bitmap = await bitmapOf(bytes, format);
  try {
    const { width, height } = bitmap;
    checkPixels(height, width, pixelLimit);
    const opaque = canvasPixels(bitmap);
    // A canvas keeps colors multiplied by alpha, which rounds them.
    const rgba = isOpaque(opaque) ? opaque : texturePixels(bitmap);
    const data = new Uint8Array(height * width * 3);
    for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
      data[to] = rgba[from]!;
      data[to + 1] = rgba[from + 1]!;
      data[to + 2] = rgba[from + 2]!;
    }
    return { data, shape: [height, width, 3] };
  } finally {
    bitmap.close();
  }
}

/** The size of an image file when it is upright. */
export async function bitmapSize(bytes: Uint8Array, format: ImageFormat): Promise<{ height: number; width: number }> {
  const bitmap = await bitmapOf(bytes, format);
  const { height, width } = bitmap;
  bitmap.close();
  return { height, width };
}

async function bitmapOf(bytes: Uint8Array, format: ImageFormat): Promise<ImageBitmap> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: `image/${format}` });
  return createImageBitmap(blob, {
    imageOrientation: "from-image",
    premultiplyAlpha: "none",
    colorSpaceConversion: "none",
  });
}

type Rgba = Uint8Array | Uint8ClampedArray;

function newCanvas(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}

function canvasPixels(bitmap: ImageBitmap): Rgba {
  const { width, height } = bitmap;
  const context = newCanvas(width, height).getContext("2d", { willReadFrequently: true }) as
    | OffscreenCanvasRenderingContext2D
    | CanvasRenderingContext2D
    | null;
  if (context === null) throw new DataError(`this browser gives no canvas of ${height}x${width} pixels`);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

function isOpaque(rgba: Rgba): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

/** The pixels as they were decoded, through a texture of WebGL. */
function texturePixels(bitmap: ImageBitmap): Rgba {
  const { width, height } = bitmap;
  const gl = newCanvas(1, 1).getContext("webgl2") as WebGL2RenderingContext | null;
  const most = gl === null ? 0 : (gl.getParameter(gl.MAX_TEXTURE_SIZE) as number);
  if (gl === null || width > most || height > most)
    throw new DataError(
      `it has transparent pixels, whose colors a page reads by WebGL 2, which this browser ${gl === null ? "does not have" : `has up to ${most}x${most} pixels`}; save it without transparency`,
    );
  try {
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(
      gl.FRAMEBUFFER,
      gl.COLOR_ATTACHMENT0,
      gl.TEXTURE_2D,
      gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture,
      0,
    );
    const rgba = new Uint8Array(height * width * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    const error = gl.getError();
    if (error !== gl.NO_ERROR) throw new DataError(`WebGL cannot read its pixels (error ${error})`);
    return rgba;
  } finally {
    // A page has few contexts.
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
