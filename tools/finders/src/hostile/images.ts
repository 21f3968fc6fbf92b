import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A folder of two classes of so many 8x8 images, as bitmaps of Windows: no encoder is needed. */
export function writeImages(folder: string, count: number): void {
  for (const [label, name] of ["a", "b"].entries())
    for (let image = 0; image < count; image++) {
      const file = join(folder, name, `${image}.bmp`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bitmap((label * 120 + image * 13) % 256));
    }
}

function bitmap(value: number): Buffer {
  const bytes = Buffer.alloc(54 + 192, value);
  bytes.fill(0, 0, 54).write("BM");
  for (const [place, field] of [
    [2, 246],
    [10, 54],
    [14, 40],
    [18, 8],
    [22, 8],
    [34, 192],
  ] as const)
    bytes.writeUInt32LE(field, place);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}
