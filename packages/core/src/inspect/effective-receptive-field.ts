/** One window of a stack, along one axis. */
export interface StackWindow {
  readonly kernel: number;
  readonly stride?: number;
  readonly dilation?: number;
}

export interface EffectiveReceptiveField {
  /** The whole (theoretical) receptive field, in pixels. */
  size: number;
  /** How much each pixel along one axis counts, from one edge to the other; sums to 1. A square's weights are the outer product. */
  weights: Float64Array;
  /** Standard deviation of the weights: the radius of the gaussian they approach, in pixels. */
  deviation: number;
  /** Pixels across within two deviations of the centre, which hold some 95 % of the weight. */
  effective: number;
}

/**
 * How much each pixel of the receptive field counts, for windows that weigh all they see alike: every layer spreads the weights
 * by its own box, so they approach a gaussian from the centre, far narrower than the whole field.
 * Luo et al. 2016, https://arxiv.org/abs/1701.04128
 */
export function effectiveReceptiveField(windows: readonly StackWindow[]): EffectiveReceptiveField {
  let weights = Float64Array.of(1);
  let jump = 1;
  for (const { kernel, stride = 1, dilation = 1 } of windows) {
    if (![kernel, stride, dilation].every((value) => Number.isInteger(value) && value > 0)) {
      throw new Error(
        `expected kernel, stride and dilation as whole numbers from 1 on, got ${kernel}, ${stride}, ${dilation}`,
      );
    }
    weights = spread(weights, kernel, jump * dilation);
    jump *= stride;
  }
  const centre = (weights.length - 1) / 2;
  const deviation = Math.sqrt(weights.reduce((sum, weight, i) => sum + weight * (i - centre) ** 2, 0));
  return { size: weights.length, weights, deviation, effective: Math.min(weights.length, 4 * deviation + 1) };
}

/** Adds `kernel` copies, `step` pixels apart, each of an equal share. */
function spread(weights: Float64Array, kernel: number, step: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(weights.length + (kernel - 1) * step);
  for (let tap = 0; tap < kernel; tap++) {
    for (let i = 0; i < weights.length; i++) {
      result[i + tap * step] = (result[i + tap * step] as number) + (weights[i] as number) / kernel;
    }
  }
  return result;
}
