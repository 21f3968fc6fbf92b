import { outputSize } from "@convkit/core";
import type { Padding, Pair } from "@convkit/core";
import { padsOf } from "@convkit/core/internal";

/** A window over a map, all lengths in full. */
export interface WindowSizes {
  readonly input: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
  readonly transposed: boolean;
}

/**
 * The two grids of a window: the dense one, which the window slides over (of a transposed convolution: writes into), with
 * rows and columns added around it, and the sparse one, which has a cell for each position of the window.
 */
export interface WindowGrids {
  readonly dense: Pair;
  /** Rows above and below, columns left and right of the dense grid. Of a transposed convolution they are cut off. */
  readonly pads: readonly [Pair, Pair];
  readonly sparse: Pair;
}

/** The sizes of input and output and the padding in between, as TensorFlow and Keras count them. */
export function windowGrids({ input, kernel, stride, dilation, padding, transposed }: WindowSizes): WindowGrids {
  if (!transposed) {
    const { size } = outputSize(input, { kernel, stride, padding, dilation });
    return { dense: input, pads: padsOf(padding, input, kernel, stride, dilation) as [Pair, Pair], sparse: size };
  }
  const along = (axis: 0 | 1): { size: number; pads: Pair } => {
    const extent = (kernel[axis] - 1) * dilation[axis] + 1;
    // The whole result, before anything is cut off: each input cell writes one window, `stride` apart.
    const whole = (input[axis] - 1) * stride[axis] + Math.max(extent, stride[axis]);
    if (padding === "valid") return { size: whole, pads: [0, 0] };
    if (padding !== "same") {
      const [before, after] = padsOf(padding, input, kernel, stride, dilation)[axis];
      return { size: (input[axis] - 1) * stride[axis] + extent - before - after, pads: [before, after] };
    }
    const cut = whole - input[axis] * stride[axis];
    return { size: input[axis] * stride[axis], pads: [Math.floor(cut / 2), cut - Math.floor(cut / 2)] };
  };
  const [height, width] = [along(0), along(1)];
  return { dense: [height.size, width.size], pads: [height.pads, width.pads], sparse: input };
}

/** The cells of the padded dense grid that one position of the window touches, with the kernel's cell for each. */
export function windowTaps(
  position: Pair,
  { kernel, stride, dilation }: WindowSizes,
): { readonly cell: Pair; readonly tap: Pair }[] {
  return Array.from({ length: kernel[0] }, (_, i) =>
    Array.from({ length: kernel[1] }, (__, j) => ({
      cell: [position[0] * stride[0] + i * dilation[0], position[1] * stride[1] + j * dilation[1]] as const,
      tap: [i, j] as const,
    })),
  ).flat();
}
