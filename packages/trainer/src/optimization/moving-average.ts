import * as tf from "@tensorflow/tfjs-core";

/** An exponential moving average of weights (Polyak and Juditsky 1992), kept beside them. */
export interface MovingAverage {
  /** Takes the weights in, inside the training step. */
  update(): void;
  /** Exchanges weights and average; a second call undoes the first. */
  swap(): void;
  readonly variables: readonly tf.Variable[];
  dispose(): void;
}

/** Averages `variables` with weight `1 - decay` for each new value, from their values now on. */
export function movingAverage(variables: readonly tf.Variable[], decay: number): MovingAverage {
  const averages = variables.map((variable) => tf.tidy(() => tf.variable(tf.clone(variable), false)));
  return {
    variables: averages,
    update() {
      averages.forEach((average, index) =>
        average.assign(tf.add(tf.mul(average, decay), tf.mul(variables[index]!, 1 - decay))),
      );
    },
    swap() {
      tf.tidy(() =>
        averages.forEach((average, index) => {
          const [weight, mean] = [tf.clone(variables[index]!), tf.clone(average)];
          variables[index]!.assign(mean);
          average.assign(weight);
        }),
      );
    },
    dispose: () => tf.dispose([...averages]),
  };
}
