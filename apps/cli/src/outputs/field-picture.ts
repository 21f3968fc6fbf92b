import type { MeasuredReceptiveField } from "@convkit/inspect";
import sharp from "sharp";

/** Draws the field as a picture. Pixels with large weights are bright. */
export async function fieldPicture(field: MeasuredReceptiveField, format: "svg" | "png"): Promise<Uint8Array | string> {
  const [height, width] = field.size;
  // The square root makes the faint rim visible.
  const pixels = Uint8Array.from(field.weights, (weight) => Math.round(Math.sqrt(weight) * 255));
  const scale = Math.max(1, Math.floor(448 / Math.max(height, width)));
  const picture = sharp(pixels, { raw: { width, height, channels: 1 } }).resize(width * scale, height * scale, {
    kernel: "nearest",
  });
  const png = await picture.png().toBuffer();
  if (format === "png") return png;
  const [w, h] = [width * scale, height * scale];
  const box = field.effective.map((side) => side * scale) as [number, number];
  const rect = `<rect x="${(w - box[1]) / 2}" y="${(h - box[0]) / 2}" width="${box[1]}" height="${box[0]}" fill="none" stroke="#e07b00" stroke-width="2"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"><image width="${w}" height="${h}" href="data:image/png;base64,${png.toString("base64")}"/>${rect}</svg>\n`;
}
