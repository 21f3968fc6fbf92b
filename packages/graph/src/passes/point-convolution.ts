import { intsOf, textOf } from "../ir/attrs.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { sizeOf } from "../values/dtypes.ts";

/** A convolution that is a matrix product: `[positions, into] x [into, outOf]`. */
export interface PointConvolution {
  /** Number of positions over all images. */
  positions: number;
  /** Channels of the input and the output. */
  into: number;
  outOf: number;
  /**
   * In a window larger than 1x1: row and column of the tap that sees the image. The other taps only ever see padding.
   */
  tap?: [row: number, column: number];
}

/**
 * A 2-D convolution, or a gradient of one, as a matrix product, from the shapes of its image, filter and result. The
 * window must be 1x1, or the image a single position. Undefined for every other convolution.
 */
export function pointConvolutionOf(
  { attrs }: GraphNode,
  x: readonly number[],
  filter: readonly number[],
  y: readonly number[],
): PointConvolution | undefined {
  const [kh, kw, into, outOf] = filter as [number, number, number, number];
  const format = textOf(attrs["data_format"]);
  // If the filter has fewer channels than the image, the convolution is grouped.
  if ((format !== "" && format !== "NHWC") || into !== x[3]) return undefined;
  const positions = sizeOf(y.slice(0, 3));
  if (positions === 0 || into === 0 || outOf === 0) return undefined;
  // With explicit padding or dilations, sizes may match although the window sees other pixels.
  if (textOf(attrs["padding"]) === "EXPLICIT") return undefined;
  if (kh === 1 && kw === 1) return x[1] === y[1] && x[2] === y[2] ? { positions, into, outOf } : undefined;
  const isSingle = [x[1], x[2], y[1], y[2]].every((size) => size === 1);
  const dilations = intsOf(attrs["dilations"]);
  if (!isSingle || textOf(attrs["padding"]) !== "SAME" || dilations.some((step) => step !== 1)) return undefined;
  // "same" padding of an even window puts the extra position at the end.
  return { positions, into, outOf, tap: [Math.floor((kh - 1) / 2), Math.floor((kw - 1) / 2)] };
}
