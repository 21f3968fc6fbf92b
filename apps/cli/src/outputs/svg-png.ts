import sharp from "sharp";

/** Twice the pixels of the SVG, for screens that have them. */
const density = 144;

/** libvips' limit of a picture's side. */
const longest = 32_767;

/** An SVG document as a PNG, with fewer pixels where the picture would be too long. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const [, width, height] = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  const side = Math.max(Number(width), Number(height));
  const scale = Math.min(density / 72, longest / side);
  return sharp(Buffer.from(svg), { density: 72 * scale, unlimited: true, limitInputPixels: false })
    .png()
    .toBuffer();
}
