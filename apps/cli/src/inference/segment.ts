import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { decodeImage, resizeInto } from "@convkit/datasets";
import { overlaid } from "@convkit/report/internal";
import sharp from "sharp";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import type { Opened } from "./classify.ts";

/** The classes of an image's pixels. */
export interface SegmentedImage {
  readonly image: string;
  /** The share of the pixels of each class, the largest first. */
  readonly classes: readonly { readonly index: number; readonly label: string; readonly share: number }[];
  /** The mask's file, if one was written. */
  readonly mask?: string | undefined;
}

/** Tells the classes of the pixels of images. */
export interface Segmenter {
  /** `data` has the images in the network's size, `[n, h, w, c]`. */
  segment(data: Uint8Array, files: readonly string[]): Promise<readonly SegmentedImage[]>;
}

/**
 * A segmenter by a network with a class for each pixel. In `folder`, it writes each mask as a grayscale PNG of class numbers, and a
 * picture of the image with its mask: in the image's size, or in the network's where images are cropped.
 */
export function segmenter(
  { forward, classes, fit }: Pick<Opened, "forward" | "classes" | "fit">,
  shape: readonly [number, number, 1 | 3],
  folder: string | undefined,
): Segmenter {
  const [height, width, channels] = shape;
  const pixels = height * width;
  const written = new Set<string>();
  const nameOf = (file: string): string => {
    const name = basename(file, extname(file));
    if (written.has(name)) throw new UsageError(`Two images are called ${name}: their masks would be one file.`);
    written.add(name);
    return name;
  };
  return {
    async segment(data, files) {
      const scores = (await forward.predict({ data, shape: [files.length, ...shape] })).data;
      const count = scores.length / (files.length * pixels);
      const answers: SegmentedImage[] = [];
      for (const [row, image] of files.entries()) {
        const mask = mostLikely(scores.subarray(row * pixels * count, (row + 1) * pixels * count), count);
        const bytes = data.subarray(row * pixels * channels, (row + 1) * pixels * channels);
        const own = folder === undefined ? {} : { mask: await write(image, mask, bytes, userPath(folder)) };
        answers.push({ image, classes: sharesOf(mask, Math.max(2, count), classes), ...own });
      }
      return answers;
    },
  };

  async function write(image: string, mask: Uint8Array, bytes: Uint8Array, place: string): Promise<string> {
    await mkdir(place, { recursive: true });
    const isWhole = fit.crop === undefined || fit.crop === false;
    const whole = isWhole ? await decodeImage(userPath(image), { orient: fit.orient }) : undefined;
    const [h, w] = whole?.shape ?? [height, width];
    const sized = new Uint8Array(h * w);
    resizeInto(sized, [h, w], { data: mask, shape: [height, width, 1] }, "nearest");
    const rgb =
      whole?.data ??
      (channels === 3 ? bytes : Uint8Array.from({ length: pixels * 3 }, (_, i) => bytes[Math.floor(i / 3)]!));
    const name = nameOf(image);
    const file = join(place, `${name}.png`);
    const raw = { width: w, height: h };
    await sharp(sized, { raw: { ...raw, channels: 1 } })
      .toColorspace("b-w")
      .png()
      .toFile(file);
    const picture = overlaid(rgb, sized, undefined);
    await sharp(picture, { raw: { ...raw, channels: 3 } })
      .png()
      .toFile(join(place, `${name}.overlay.png`));
    return file;
  }
}

/** The most likely class of each pixel; the second of one output above 0.5. `[pixels, classes] -> [pixels]` */
function mostLikely(scores: Float32Array, count: number): Uint8Array {
  return Uint8Array.from({ length: scores.length / count }, (_, pixel) => {
    if (count === 1) return Number(scores[pixel]! > 0.5);
    let best = 0;
    for (let label = 1; label < count; label += 1)
      if (scores[pixel * count + label]! > scores[pixel * count + best]!) best = label;
    return best;
  });
}

function sharesOf(mask: Uint8Array, count: number, names: readonly string[]): SegmentedImage["classes"] {
  const counts = Array.from({ length: count }, () => 0);
  for (const label of mask) counts[label]! += 1;
  return counts
    .map((own, index) => ({ index, label: names[index] ?? String(index), share: own / mask.length }))
    .filter(({ share }) => share > 0)
    .toSorted((a, b) => b.share - a.share);
}
