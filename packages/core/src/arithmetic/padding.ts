import { OptionError, shown } from "@convkit/errors";

/** Rows above and below, columns left and right. */
export type Pads = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]];

/**
 * Zeros around a feature map before a window slides over it.
 *
 * - `"valid"`: none;
 * - `"same"`: TensorFlow's rule: the output is `ceil(size / stride)`, an odd row or column goes to the bottom or right;
 * - a number, `[height, width]` or `[[top, bottom], [left, right]]`: that many on each side, as PyTorch and Caffe count.
 *
 * `"same"` at stride 2 and PyTorch's `padding=1` give the same shapes but different numbers, so no call has a default.
 */
export type Padding = "same" | "valid" | number | readonly [height: number, width: number] | Pads;

/** A length along height and one along width. */
export type Pair = readonly [height: number, width: number];

/** A number stands for both axes. */
export function pair(value: number | Pair): Pair {
  return typeof value === "number" ? [value, value] : value;
}

/** The padding in pixels for an input of `size` pixels. */
export function padsOf(padding: Padding, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = [1, 1]): Pads {
  if (padding === "valid") {
    return [
      [0, 0],
      [0, 0],
    ];
  }
  if (padding === "same") {
    return [samePads(size[0], kernel[0], stride[0], dilation[0]), samePads(size[1], kernel[1], stride[1], dilation[1])];
  }
  return explicitPads(padding);
}

/** Explicit padding in full. */
export function explicitPads(padding: Exclude<Padding, string>): Pads {
  const sides: readonly unknown[] = Array.isArray(padding) ? padding : [padding, padding];
  const pads = sides.map((side) => (typeof side === "number" ? [side, side] : side)) as unknown as Pads;
  const arePairs = pads.length === 2 && pads.every((side) => Array.isArray(side) && side.length === 2);
  if (!arePairs || pads.flat().some((pad) => !Number.isInteger(pad) || pad < 0)) {
    throw new OptionError(`padding: expected whole numbers from 0 on, got ${shown(padding)}.`);
  }
  return pads;
}

/**
 * `"same"` or `"valid"` if it equals this padding for every input size; undefined if the padding needs a separate
 * layer.
 */
export function stockPadding(
  padding: Padding,
  kernel: Pair,
  stride: Pair,
  dilation: Pair = [1, 1],
): "same" | "valid" | undefined {
  if (typeof padding === "string") return padding;
  const pads = explicitPads(padding);
  if (pads.flat().every((pad) => pad === 0)) return "valid";
  const isSame = [0, 1].every((axis) => {
    const around = ((kernel[axis] as number) - 1) * (dilation[axis] as number);
    const [before, after] = pads[axis] as readonly [number, number];
    return stride[axis] === 1 && before === after && before * 2 === around;
  });
  return isSame ? "same" : undefined;
}

function samePads(size: number, kernel: number, stride: number, dilation: number): readonly [number, number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}
