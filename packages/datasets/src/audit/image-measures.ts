import type { Pixels } from "../images/resize/resize.ts";
import { resizeInto } from "../images/resize/resize.ts";

/** Measures of an image's gray levels, 0 to 255. */
export interface ImageMeasures {
  readonly height: number;
  readonly width: number;
  /** Mean and standard deviation of the gray levels. */
  readonly brightness: number;
  readonly contrast: number;
  /** Variance of the Laplacian, as OpenCV's `Laplacian(gray, CV_64F).var()`: low for blurred images. */
  readonly sharpness: number;
  /** 128 bits: whether each of 8x8 parts is darker than its right and its lower neighbor. */
  readonly hash: Uint32Array;
}

/** Measures a picture of three channels. */
export function measureImage({ data, shape: [height, width] }: Pixels): ImageMeasures {
  const gray = grayOf(data, height * width);
  const { mean, variance } = momentsOf(gray);
  return {
    height,
    width,
    brightness: mean,
    contrast: Math.sqrt(variance),
    sharpness: momentsOf(laplacianOf(gray, height, width)).variance,
    hash: differenceHash(gray, height, width),
  };
}

/** Gray levels by OpenCV's whole numbers: 0.299, 0.587 and 0.114 of 2^14, rounded. */
function grayOf(data: Uint8Array, pixels: number): Uint8Array {
  const gray = new Uint8Array(pixels);
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3)
    gray[pixel] = (data[at]! * 4899 + data[at + 1]! * 9617 + data[at + 2]! * 1868 + 8192) >> 14;
  return gray;
}

function momentsOf(values: Uint8Array | Int16Array): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { mean, variance: Math.max(0, squares / values.length - mean * mean) };
}

/** The sum of the four neighbors less four times the pixel; neighbors beyond the border are mirrored (`BORDER_REFLECT_101`). */
function laplacianOf(gray: Uint8Array, height: number, width: number): Int16Array {
  const mirrored = (at: number, size: number): number => (size === 1 ? 0 : at < 0 ? 1 : at === size ? size - 2 : at);
  const made = new Int16Array(gray.length);
  for (let row = 0; row < height; row++) {
    const [above, below] = [mirrored(row - 1, height) * width, mirrored(row + 1, height) * width];
    for (let column = 0; column < width; column++) {
      const here = row * width;
      const [left, right] = [mirrored(column - 1, width), mirrored(column + 1, width)];
      made[here + column] =
        gray[above + column]! +
        gray[below + column]! +
        gray[here + left]! +
        gray[here + right]! -
        4 * gray[here + column]!;
    }
  }
  return made;
}

function differenceHash(gray: Uint8Array, height: number, width: number): Uint32Array {
  const small = new Uint8Array(9 * 9);
  resizeInto(small, [9, 9], { data: gray, shape: [height, width, 1] }, "area");
  const hash = new Uint32Array(4);
  for (let row = 0; row < 8; row++)
    for (let column = 0; column < 8; column++) {
      const [at, bit] = [row * 9 + column, row * 8 + column];
      if (small[at]! < small[at + 1]!) hash[bit >> 5]! |= 1 << (bit & 31);
      if (small[at]! < small[at + 9]!) hash[2 + (bit >> 5)]! |= 1 << (bit & 31);
    }
  return hash;
}

/** The number of bits that differ. */
export function hashDistance(a: Uint32Array, b: Uint32Array): number {
  let count = 0;
  for (let word = 0; word < 4; word++)
    for (let bits = (a[word]! ^ b[word]!) >>> 0; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}
