import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { padsOf, pair } from "./padding.ts";
import type { Padding, Pair } from "./padding.ts";

export interface Window {
  readonly kernel: number | Pair;
  /** Pixels between two positions of the window; 1 by default. */
  readonly stride?: number | Pair | undefined;
  readonly padding: Padding;
  /** Pixels between two taps of the window; 1 by default. */
  readonly dilation?: number | Pair | undefined;
  /**
   * Rounds up if the last window extends past the edge, like `ceil_mode` pooling in Caffe and PyTorch; false by
   * default.
   */
  readonly ceil?: boolean | undefined;
}

const windowNames: OptionNames<Window> = { kernel: true, stride: true, padding: true, dilation: true, ceil: true };

export interface OutputSize {
  /** Height and width of the output. */
  readonly size: [number, number];
  /** True if (H + 2P - F) / S is an integer on both axes, so that every input pixel is used. */
  readonly whole: boolean;
  /** One sentence about unused pixels; missing if all are used. */
  readonly warning?: string;
}

/**
 * Size of a convolution's or a pool's output: `(H + 2P - F) / S + 1`, rounded down (up with `ceil`).
 *
 * Throws an `OptionError` where the window does not fit into the padded input. Source: Dumoulin and Visin 2016, https://arxiv.org/abs/1603.07285
 */
export function outputSize(input: number | Pair, window: Window): OutputSize {
  checkOptions("outputSize", window, windowNames);
  const [height, width] = axes(pair(input), window);
  const size: [number, number] = [height.size, width.size];
  const lost = [
    { side: "bottom", line: "row", ...height },
    { side: "right", line: "column", ...width },
  ].filter(({ rest }) => rest !== 0);
  if (lost.length === 0) return { size, whole: true };
  const formulas = lost.map(
    ({ padded, extent, stride, side, line, rest }) =>
      `(${padded} - ${extent}) / ${stride} is not whole: ` +
      (window.ceil === true
        ? `the last window hangs over the ${side} edge`
        : `${rest} ${rest === 1 ? `${line} at the ${side} is` : `${line}s at the ${side} are`} never seen`),
  );
  return {
    size,
    whole: false,
    warning: `${formulas.join("; ")}; change the padding or the stride to use all of the input`,
  };
}

/** Output height and width only; null, an unknown size, stays null. */
export function outputShape(input: readonly (number | null)[], window: Window): [number | null, number | null] {
  const known: Pair = [input[0] ?? Number.POSITIVE_INFINITY, input[1] ?? Number.POSITIVE_INFINITY];
  const [height, width] = axes(known, window);
  return [input[0] == null ? null : height.size, input[1] == null ? null : width.size];
}

interface Axis {
  size: number;
  padded: number;
  extent: number;
  stride: number;
  rest: number;
}

function axes(input: Pair, { kernel, stride = 1, padding, dilation = 1, ceil = false }: Window): [Axis, Axis] {
  const [kernels, strides, dilations] = [pair(kernel), pair(stride), pair(dilation)];
  const pads = padsOf(padding, input, kernels, strides, dilations);
  const along = (axis: 0 | 1): Axis => {
    const extent = (kernels[axis] - 1) * dilations[axis] + 1;
    const size = input[axis];
    if (size === Number.POSITIVE_INFINITY) return { size, padded: size, extent, stride: strides[axis], rest: 0 };
    const [before, after] = pads[axis];
    const padded = size + before + after;
    const rest = (padded - extent) % strides[axis];
    const steps = (padded - extent) / strides[axis];
    let out = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // PyTorch's rule: the last window must start inside the input or its leading padding.
    if (ceil && (out - 1) * strides[axis] >= size + before) out -= 1;
    return {
      size: padding === "same" ? Math.ceil(size / strides[axis]) : out,
      padded,
      extent,
      stride: strides[axis],
      rest,
    };
  };
  const result: [Axis, Axis] = [along(0), along(1)];
  // With rounding up, a window may extend past the edge of a smaller input.
  if (result.some(({ size, padded, extent }) => size < 1 || (padded < extent && !ceil))) {
    const smallest = [0, 1].map((axis) => {
      const { extent } = result[axis] as Axis;
      const [before, after] = pads[axis] as readonly [number, number];
      return Math.max(1, extent - before - after);
    });
    throw new OptionError(
      `a ${kernels.join("x")} window does not fit into the ${input.join("x")} input with ${shown(padding)} padding; ` +
        `expected at least ${smallest.join("x")}.`,
    );
  }
  return result;
}
