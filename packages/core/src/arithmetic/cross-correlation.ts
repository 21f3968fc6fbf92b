import { OptionError } from "@convkit/errors";

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/**
 * The operation that networks call convolution: the kernel slides without being turned, products are summed. `[h, w] -> [h - kh + 1, w - kw + 1]`
 *
 * Throws an `OptionError` where the kernel is larger than the image.
 */
export function crossCorrelate(image: Matrix, kernel: Matrix): number[][] {
  const [height, width] = [image.length - kernel.length + 1, (image[0]?.length ?? 0) - (kernel[0]?.length ?? 0) + 1];
  if (height < 1 || width < 1) {
    throw new OptionError(
      `crossCorrelate: expected a kernel no larger than the ${image.length}x${image[0]?.length ?? 0} image, got ${kernel.length}x${kernel[0]?.length ?? 0}.`,
    );
  }
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      kernel.reduce(
        (sum, row, i) => row.reduce((part, value, j) => part + value * (image[y + i]?.[x + j] ?? 0), sum),
        0,
      ),
    ),
  );
}

/** The convolution of mathematics: the kernel is turned by 180 degrees first. Equal to `crossCorrelate` for symmetric kernels. */
export function convolve(image: Matrix, kernel: Matrix): number[][] {
  return crossCorrelate(
    image,
    kernel.toReversed().map((row) => row.toReversed()),
  );
}
