/** Plain loops that say what a kernel must compute; the tests hold every engine to them. */

export interface Tensor {
  shape: readonly number[];
  values: Float32Array;
}

export interface Window {
  kernel: readonly [number, number];
  strides: readonly [number, number];
  /** Zeros above and left of the input. */
  before: readonly [number, number];
  out: readonly [number, number];
}

/** Output size and padding as TensorFlow defines them; explicit padding as `[top, bottom, left, right]`. */
export function windowOf(
  [height, width]: readonly [number, number],
  kernel: readonly [number, number],
  strides: readonly [number, number],
  pad: "same" | "valid" | readonly [number, number, number, number],
): Window {
  const sizes = [height, width] as const;
  const both = [0, 1].map((axis) => {
    const [size, taps, stride] = [sizes[axis]!, kernel[axis]!, strides[axis]!];
    if (pad === "valid") return { before: 0, out: Math.ceil((size - taps + 1) / stride) };
    if (pad === "same") {
      const out = Math.ceil(size / stride);
      return { before: Math.floor(Math.max(0, (out - 1) * stride + taps - size) / 2), out };
    }
    const [before, after] = [pad[2 * axis]!, pad[2 * axis + 1]!];
    return { before, out: Math.floor((size + before + after - taps) / stride) + 1 };
  });
  const [rows, columns] = both as [(typeof both)[0], (typeof both)[0]];
  return { kernel, strides, before: [rows!.before, columns!.before], out: [rows!.out, columns!.out] };
}

/** Calls `visit` with every pair of an input position and an output position that a tap joins. */
function walk(
  [batch, height, width]: readonly number[],
  { kernel, strides, before, out }: Window,
  visit: (place: { n: number; iy: number; ix: number; oy: number; ox: number; ky: number; kx: number }) => void,
): void {
  for (let n = 0; n < batch!; n++)
    for (let oy = 0; oy < out[0]; oy++)
      for (let ox = 0; ox < out[1]; ox++)
        for (let ky = 0; ky < kernel[0]; ky++)
          for (let kx = 0; kx < kernel[1]; kx++) {
            const iy = oy * strides[0] - before[0] + ky;
            const ix = ox * strides[1] - before[1] + kx;
            if (iy >= 0 && iy < height! && ix >= 0 && ix < width!) visit({ n, iy, ix, oy, ox, ky, kx });
          }
}

const at = (shape: readonly number[], ...index: readonly number[]): number =>
  index.reduce((place, i, axis) => place * shape[axis]! + i, 0);

const zeros = (shape: readonly number[]): Tensor => ({
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** A convolution and its two gradients, given the gradient `dy` of its output. */
export function convolution(
  x: Tensor,
  filter: Tensor,
  window: Window,
  dy: Tensor,
): { y: Tensor; dx: Tensor; dw: Tensor } {
  const [y, dx, dw] = [zeros(dy.shape), zeros(x.shape), zeros(filter.shape)];
  const [, , channels, filters] = filter.shape as [number, number, number, number];
  walk(x.shape, window, ({ n, iy, ix, oy, ox, ky, kx }) => {
    for (let c = 0; c < channels; c++)
      for (let f = 0; f < filters; f++) {
        const [i, o, w] = [at(x.shape, n, iy, ix, c), at(y.shape, n, oy, ox, f), at(filter.shape, ky, kx, c, f)];
        y.values[o]! += x.values[i]! * filter.values[w]!;
        dx.values[i]! += dy.values[o]! * filter.values[w]!;
        dw.values[w]! += dy.values[o]! * x.values[i]!;
      }
  });
  return { y, dx, dw };
}

/** A depthwise convolution and its two gradients. */
export function depthwise(
  x: Tensor,
  filter: Tensor,
  window: Window,
  dy: Tensor,
): { y: Tensor; dx: Tensor; dw: Tensor } {
  const [y, dx, dw] = [zeros(dy.shape), zeros(x.shape), zeros(filter.shape)];
  const [, , channels, multiplier] = filter.shape as [number, number, number, number];
  walk(x.shape, window, ({ n, iy, ix, oy, ox, ky, kx }) => {
    for (let c = 0; c < channels; c++)
      for (let q = 0; q < multiplier; q++) {
        const i = at(x.shape, n, iy, ix, c);
        const o = at(y.shape, n, oy, ox, c * multiplier + q);
        const w = at(filter.shape, ky, kx, c, q);
        y.values[o]! += x.values[i]! * filter.values[w]!;
        dx.values[i]! += dy.values[o]! * filter.values[w]!;
        dw.values[w]! += dy.values[o]! * x.values[i]!;
      }
  });
  return { y, dx, dw };
}

/** A max pool and its gradient, which goes to the first of equal values. */
export function maxPool(x: Tensor, window: Window, dy: Tensor): { y: Tensor; dx: Tensor } {
  const [y, dx] = [zeros(dy.shape), zeros(x.shape)];
  y.values.fill(Number.NEGATIVE_INFINITY);
  const where = new Int32Array(y.values.length);
  const channels = x.shape[3]!;
  walk(x.shape, window, ({ n, iy, ix, oy, ox }) => {
    for (let c = 0; c < channels; c++) {
      const [i, o] = [at(x.shape, n, iy, ix, c), at(y.shape, n, oy, ox, c)];
      if (x.values[i]! <= y.values[o]!) continue;
      y.values[o] = x.values[i]!;
      where[o] = i;
    }
  });
  for (const [o, i] of where.entries()) dx.values[i]! += dy.values[o]!;
  return { y, dx };
}

/** An average pool and its gradient; padding is not counted. */
export function averagePool(x: Tensor, window: Window, dy: Tensor): { y: Tensor; dx: Tensor } {
  const [y, dx, counts] = [zeros(dy.shape), zeros(x.shape), zeros(dy.shape)];
  const channels = x.shape[3]!;
  const each = (visit: (i: number, o: number) => void): void =>
    walk(x.shape, window, ({ n, iy, ix, oy, ox }) => {
      for (let c = 0; c < channels; c++) visit(at(x.shape, n, iy, ix, c), at(y.shape, n, oy, ox, c));
    });
  each((_, o) => void counts.values[o]!++);
  each((i, o) => {
    y.values[o]! += x.values[i]! / counts.values[o]!;
    dx.values[i]! += dy.values[o]! / counts.values[o]!;
  });
  return { y, dx };
}
