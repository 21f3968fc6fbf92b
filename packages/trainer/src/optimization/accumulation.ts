import * as tf from "@tensorflow/tfjs-core";

/** Sums gradients over several batches, so that they count as one large one. */
export interface Accumulation {
  /** Adds a batch's gradients, inside the training step. */
  add(gradients: tf.NamedTensorMap): void;
  /** The mean of what was added; begins anew. */
  take(): tf.NamedTensorMap;
  readonly variables: readonly tf.Variable[];
  dispose(): void;
}

/** Room for the sum of `batches` gradients of each variable. */
export function accumulation(variables: readonly tf.Variable[], batches: number): Accumulation {
  const sums = new Map(
    variables.map((variable) => [variable.name, tf.tidy(() => tf.variable(tf.zerosLike(variable), false))]),
  );
  return {
    variables: [...sums.values()],
    add(gradients) {
      for (const [name, gradient] of Object.entries(gradients)) {
        const sum = sums.get(name)!;
        sum.assign(tf.add(sum, gradient));
      }
    },
    take() {
      const means = [...sums].map(([name, sum]) => [name, tf.div(sum, batches)] as const);
      for (const sum of sums.values()) sum.assign(tf.zerosLike(sum));
      return Object.fromEntries(means);
    },
    dispose: () => tf.dispose([...sums.values()]),
  };
}
