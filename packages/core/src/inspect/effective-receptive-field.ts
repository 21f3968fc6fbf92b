import { OptionError } from "@convkit/errors";

/** One window of a stack, along one axis. */
export interface StackWindow {
  readonly kernel: number;
  /** Pixels between two positions of the window; 1 by default. */
  readonly stride?: number | undefined;
  /** Pixels between two taps of the window; 1 by default. */
  readonly dilation?: number | undefined;
}

export interface EffectiveReceptiveField {
  /** The whole (theoretical) receptive field, in pixels. */
  size: number;
  /** Weight of each pixel along one axis, from edge to edge; they sum to 1. The weights of a square are the outer product. */
  weights: Float64Array;
  /** Standard deviation of the weights in pixels: the deviation of the Gaussian that they approach. */
  deviation: number;
  /** Width in pixels within two deviations of the center, which hold about 95 % of the weight. */
  effective: number;
}

/**
 * Weight of each pixel of the receptive field, for windows with equal weights. Each layer spreads the weights by its
 * window, so they approach a Gaussian around the center that is far narrower than the whole field. Luo et al. 2016,
 * https://arxiv.org/abs/1701.04128
 */
export function effectiveReceptiveField(windows: readonly StackWindow[]): EffectiveReceptiveField {
  let weights = Float64Array.of(1);
  let jump = 1;
  for (const { kernel, stride = 1, dilation = 1 } of windows) {
    if (![kernel, stride, dilation].every((value) => Number.isInteger(value) && value > 0)) {
      throw new OptionError(
        `effectiveReceptiveField: expected kernel, stride and dilation as whole numbers from 1 on, got ${kernel}, ${stride}, ${dilation}.`,
      );
    }
    weights = spread(weights, kernel, jump * dilation);
    jump *= stride;
  }
  const center = (weights.length - 1) / 2;
  const deviation = Math.sqrt(weights.reduce((sum, weight, i) => sum + weight * (i - center) ** 2, 0));
  return { size: weights.length, weights, deviation, effective: Math.min(weights.length, 4 * deviation + 1) };
}

/** Adds `kernel` copies, `step` pixels apart, with equal weights. */
function spread(weights: Float64Array, kernel: number, step: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(weights.length + (kernel - 1) * step);
  for (let tap = 0; tap < kernel; tap++) {
    for (let i = 0; i < weights.length; i++) {
      result[i + tap * step] = (result[i + tap * step] as number) + (weights[i] as number) / kernel;
    }
  }
  return result;
}
