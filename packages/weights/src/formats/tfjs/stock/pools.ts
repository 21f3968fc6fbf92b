import type { Floats, HeldLayer, Source } from "./stock-row.ts";
import { cropped, padded, pooled, product, reshaped, row, transposed, unchanged } from "./stock-row.ts";

type Pair = readonly [number, number];

interface PaddedPool {
  readonly mode: "max" | "average";
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: readonly [Pair, Pair];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
}

/**
 * A pool with numbers as padding. Means that count the padding: zeros, then a pool. All others: a pool at every pixel,
 * whose padding `same` is left out as ours is, then every `stride`-th pixel.
 */
export function paddedPool({ config, inputs: [shape] }: HeldLayer): Source | string {
  const { mode, poolSize, strides, padding, ceilMode, countIncludePad } = config as unknown as PaddedPool;
  const pads = padding.flat().some((pad) => pad !== 0);
  if (mode === "average" && countIncludePad && pads) {
    const sizes = [shape![1], shape![2]];
    const exact = sizes.every((size, axis) => {
      const whole = size == null ? NaN : size + padding[axis]![0] + padding[axis]![1] - poolSize[axis]!;
      return whole % (strides[axis] ?? 1) === 0;
    });
    if (ceilMode && !exact) return "its sizes are rounded up, and its means count the padding";
    return pooled(padded(0, padding), mode, { size: poolSize, strides, padding: "valid" });
  }
  // The pool at pixel i sees the pixels from i - before on.
  const before = poolSize.map((size) => Math.floor((size - 1) / 2));
  const starts = padding.map(([start], axis) => before[axis]! - start);
  const ends = padding.map(([, end], axis) => {
    const roundedUp = ceilMode ? strides[axis]! - 1 : 0;
    return poolSize[axis]! - 1 - before[axis]! - end - roundedUp;
  });
  if ([...starts, ...ends].some((size) => size < 0)) return "its padding or stride is larger than half of its window";
  const everywhere = pooled(0, mode, { size: poolSize, strides: [1, 1], padding: "same" });
  const seen = cropped(everywhere, [
    [starts[0]!, ends[0]!],
    [starts[1]!, ends[1]!],
  ]);
  if (strides[0] === 1 && strides[1] === 1) return seen;
  return pooled(seen, "max", { size: [1, 1], strides, padding: "valid" });
}

/** A pool where the parts are equal, else a product with the matrix of the means along each axis. */
export function adaptivePool({ config, inputs: [shape] }: HeldLayer): Source | string {
  const [, height, width] = shape!;
  const [rows, columns] = config["outputSize"] as Pair;
  if (height == null || width == null) return "the size of its input is not known";
  if (height === rows && width === columns) return unchanged(0);
  if (height % rows === 0 && width % columns === 0) {
    const size = [height / rows, width / columns];
    return pooled(0, "average", { size, strides: size, padding: "valid" });
  }
  const turned = product(transposed(0, [0, 2, 3, 1]), means(height, rows));
  return transposed(product(transposed(turned, [0, 3, 2, 1]), means(width, columns)), [0, 1, 3, 2]);
}

/** `[length, parts]`: part i is the mean of the pixels from floor(i n / parts) to ceil((i + 1) n / parts). */
function means(length: number, parts: number): { name: string; shape: number[]; read: () => Floats } {
  const read = (): Floats => {
    const matrix = new Float32Array(length * parts);
    for (let part = 0; part < parts; part++) {
      const [start, end] = [Math.floor((part * length) / parts), Math.ceil(((part + 1) * length) / parts)];
      for (let pixel = start; pixel < end; pixel++) matrix[pixel * parts + part] = 1 / (end - start);
    }
    return matrix;
  };
  return { name: "kernel", shape: [length, parts], read };
}

/** A global pool, and ones in place of the sizes that it removed. */
export const keepingSizes =
  (className: string) =>
  ({ output }: HeldLayer): Source =>
    reshaped(
      row(className, className.endsWith("1D") ? {} : { data_format: "channels_last" }),
      output.slice(1) as number[],
    );
