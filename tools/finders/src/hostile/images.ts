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

/** A table of the images of the folder `images` beside it: one or two labels and a number for each. */
export function writeTargets(list: string, count: number): void {
  const names = ["a", "b"].flatMap((name) =>
    Array.from({ length: count }, (_, image) => `images/${name}/${image}.bmp`),
  );
  const rows = names.map(
    (file, row) => `${file},${row % 2 === 0 ? "round" : "round|dark"},${row / names.length},train`,
  );
  writeFileSync(list, ["path,kinds,height,split", ...rows].join("\n"));
}

/** A bitmap of Windows of one gray; square by default. */
export function bitmap(value: number, width = 8, height = width): Buffer {
  const size = height * Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + size, value);
  bytes.fill(0, 0, 54).write("BM");
  for (const [place, field] of [
    [2, 54 + size],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [34, size],
  ] as const)
    bytes.writeUInt32LE(field, place);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}
