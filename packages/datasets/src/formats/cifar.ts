import { readFile } from "node:fs/promises";
import { DataError, reasonOf } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";

/** Images from CIFAR's binary records, `[n, 32, 32, 3]` in row-major order, with their labels. */
export interface CifarImages {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  /** CIFAR-100's superclass of each image. */
  readonly coarse?: Uint8Array;
}

export interface CifarOptions {
  /** 10 (one label byte per record) or 100 (superclass and class); 10 by default. */
  readonly classes?: 10 | 100 | undefined;
}

export const cifarShape = [32, 32, 3] as const;
const plane = 32 * 32;

/**
 * Reads records of CIFAR's binary version: one or two label bytes, then the red, the green and the blue plane. Throws a
 * `DataError` with the byte offset if a record ends early or a label is not a class index. Krizhevsky 2009, Learning
 * Multiple Layers of Features from Tiny Images, https://www.cs.toronto.edu/~kriz/cifar.html.
 */
export async function readCifar(file: string, options: CifarOptions = {}): Promise<CifarImages> {
  checkNames("readCifar", options, { classes: true });
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  });
  return parseCifar(bytes, file, options);
}

/** Parses the bytes of a CIFAR file; `file` is for messages. */
export function parseCifar(bytes: Uint8Array, file: string, { classes = 10 }: CifarOptions = {}): CifarImages {
  if (classes !== 10 && classes !== 100) throw new DataError(`classes should be 10 or 100, not ${String(classes)}`);
  const labelBytes = classes === 100 ? 2 : 1;
  const record = labelBytes + 3 * plane;
  const count = Math.floor(bytes.length / record);
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataError(
      `${file}: expected whole records of ${record} bytes, found ${bytes.length - count * record} bytes after record ` +
        `${count} at byte ${count * record}; the file is truncated or not CIFAR-${classes}'s`,
    );
  }
  const images = new Uint8Array(count * 3 * plane);
  const labels = new Uint8Array(count);
  const coarse = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const start = index * record;
    const pixels = start + labelBytes;
    labels[index] = bytes[pixels - 1]!;
    coarse[index] = bytes[start]!;
    if (labels[index]! >= classes) {
      throw new DataError(
        `${file}: expected a label from 0 to ${classes - 1} at byte ${pixels - 1} (record ${index}), found ${labels[index]}`,
      );
    }
    for (let pixel = 0, to = index * 3 * plane; pixel < plane; pixel++, to += 3) {
      images[to] = bytes[pixels + pixel]!;
      images[to + 1] = bytes[pixels + plane + pixel]!;
      images[to + 2] = bytes[pixels + 2 * plane + pixel]!;
    }
  }
  return classes === 100 ? { images, labels, coarse } : { images, labels };
}

/** The bytes of a CIFAR-10 file with these images (`[n, 32, 32, 3]`) and labels: the inverse of `parseCifar`. */
export function writeCifar({ images, labels }: { images: Uint8Array; labels: ArrayLike<number> }): Uint8Array {
  const record = 1 + 3 * plane;
  for (const [index, label] of Array.from(labels).entries()) {
    if (Number.isInteger(label) && label >= 0 && label <= 255) continue;
    throw new DataError(`label ${index} is ${label}; expected a byte, 0 to 9 for CIFAR-10`);
  }
  if (images.length !== labels.length * 3 * plane) {
    throw new DataError(`${images.length} bytes are not ${labels.length} images of 32x32x3, one for each label`);
  }
  const bytes = new Uint8Array(labels.length * record);
  for (let index = 0; index < labels.length; index++) {
    bytes[index * record] = labels[index]!;
    for (let pixel = 0; pixel < plane; pixel++)
      for (let channel = 0; channel < 3; channel++) {
        bytes[index * record + 1 + channel * plane + pixel] = images[(index * plane + pixel) * 3 + channel]!;
      }
  }
  return bytes;
}
