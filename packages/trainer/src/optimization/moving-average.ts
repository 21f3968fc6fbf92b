import * as tf from "@tensorflow/tfjs-core";

/** An exponential moving average of variables (Polyak and Juditsky 1992), starting with their current values. */
export class MovingAverage {
  readonly #variables: readonly tf.Variable[];
  readonly #averages: readonly tf.Variable[];
  readonly #decay: number;

  constructor(variables: readonly tf.Variable[], decay: number) {
    this.#variables = variables;
    this.#averages = variables.map((variable) => tf.tidy(() => tf.variable(tf.mul(variable, 1), false)));
    this.#decay = decay;
  }

  /** The average of a variable. */
  of(variable: tf.Variable): tf.Variable | undefined {
    return this.#averages[this.#variables.indexOf(variable)];
  }

  /** Adds the variables' values with weight `1 - decay`, inside the training step. */
  update(): void {
    for (const [index, average] of this.#averages.entries())
      average.assign(tf.add(tf.mul(average, this.#decay), tf.mul(this.#variables[index]!, 1 - this.#decay)));
  }

  /** Exchanges the variables with their averages; a second call undoes the first. */
  swap(): void {
    tf.tidy(() => {
      for (const [index, average] of this.#averages.entries()) {
        const variable = this.#variables[index]!;
        const [value, mean] = [tf.clone(variable), tf.clone(average)];
        variable.assign(mean);
        average.assign(value);
      }
    });
  }

  dispose(): void {
    tf.dispose([...this.#averages]);
  }
}
