/** What one training step did to a weight. */
export interface WeightHealth {
  /** The layer and the weight, in a nested model after that model's name: `conv1/kernel`. */
  readonly name: string;
  /** The number of its values. */
  readonly size: number;
  /** Euclidean norm of the loss' gradient by the weight, before clipping and weight decay. */
  readonly gradientNorm: number;
  /** Euclidean norm of the weight before the update. */
  readonly weightNorm: number;
  /** Euclidean norm of the change that the update made. */
  readonly updateNorm: number;
}

/** The outputs of a layer with an activation function, in one training step. */
export interface ActivationHealth {
  /** The layer's name, in a nested model after that model's name. */
  readonly layer: string;
  readonly mean: number;
  /** Standard deviation over images, positions and channels. */
  readonly deviation: number;
  /** Root of the mean square: the Euclidean norm over the root of the number of values. */
  readonly norm: number;
  /**
   * Share of units that are zero on every image of the batch; a unit of a convolution is a channel. Null if the activation is not ReLU or
   * ReLU6.
   */
  readonly dead: number | null;
}

/** Norms of one training step, from the first layer to the last. */
export interface StepHealth {
  readonly weights: readonly WeightHealth[];
  readonly activations: readonly ActivationHealth[];
  /** The gradients themselves, by the names of the weights; missing unless a callback asks for them. */
  readonly gradients?: Readonly<Record<string, Float32Array>> | undefined;
}

/** How often the norms of a training step are measured. */
export interface HealthRequest {
  /** Steps between two measurements; the first step is measured, too. */
  readonly every: number;
  /** Whether the measurements have the gradients themselves. */
  readonly gradients: boolean;
}

/**
 * True if the step with the number `step` (from 1) is measured. With accumulated gradients it is the step that updates the weights:
 * the last of `accumulate`.
 */
export function isMeasured({ every }: HealthRequest, step: number, accumulate: number): boolean {
  const due = (last: number): number => (last < 1 ? 0 : Math.floor((last - 1) / every) + 1);
  return due(step) > due(step - accumulate);
}

/** The ratio that Karpathy's rule of thumb wants near 0.001: the norm of the change over the norm of the weight. NaN for zero weights. */
export function updateRatio({ updateNorm, weightNorm }: Pick<WeightHealth, "updateNorm" | "weightNorm">): number {
  return weightNorm === 0 ? NaN : updateNorm / weightNorm;
}

/** A measured step of a run. */
export interface HealthRecord extends Omit<StepHealth, "gradients"> {
  /** The step's number, from 1. */
  readonly step: number;
  /** The epoch's number, from 1. */
  readonly epoch: number;
  /** The loss of the step's batch. */
  readonly loss: number;
}
