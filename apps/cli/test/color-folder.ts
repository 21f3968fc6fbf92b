import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

const colors = { blue: { r: 20, g: 40, b: 220 }, green: { r: 30, g: 210, b: 50 }, red: { r: 220, g: 30, b: 40 } };

/** A folder of `count` pictures of each color, brighter one after the other, 20x24 unless told. */
export async function colorFolder(
  folder: string,
  names: readonly (keyof typeof colors)[],
  count: number,
  size: { readonly width: number; readonly height: number } = { width: 24, height: 20 },
): Promise<string> {
  for (const name of names) {
    mkdirSync(join(folder, name), { recursive: true });
    const { r, g, b } = colors[name];
    for (let i = 0; i < count; i += 1) {
      const background = { r: r + 2 * i, g: g + 2 * i, b: b + 2 * i };
      await sharp({ create: { ...size, channels: 3, background } })
        .jpeg()
        .toFile(join(folder, name, `${i}.jpg`));
    }
  }
  return folder;
}
