import sharp from "sharp";

/** Twice the pixels of the SVG, for screens that have them. */
const density = 144;

/** libvips' limit of a picture's side. */
const longest = 32_767;

/** An SVG document as a PNG, with fewer pixels where the picture would be too long. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { width, height } = svgSize(svg);
  const scale = Math.min(density / 72, longest / Math.max(width, height));
  return sharp(Buffer.from(svg), { density: 72 * scale, unlimited: true, limitInputPixels: false })
    .png()
    .toBuffer();
}

/** Width and height of an SVG document in pixels; of a page, those of its first one. */
export function svgSize(svg: string): { width: number; height: number } {
  const [, width, height] = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  return { width: Number(width), height: Number(height) };
}
