import * as tf from "@tensorflow/tfjs-core";

/**
 * The mean of variables over several times, each with the same weight: stochastic weight averaging (Izmailov et al. 2018,
 * https://arxiv.org/abs/1803.05407), with the arithmetic of PyTorch's `swa_utils.AveragedModel`.
 */
export class WeightMean {
  readonly #variables: readonly tf.Variable[];
  readonly #means: readonly tf.Variable[];
  /** How often values were added. */
  readonly count = tf.tidy(() => tf.variable(tf.scalar(0), false));

  constructor(variables: readonly tf.Variable[]) {
    this.#variables = variables;
    this.#means = variables.map((variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false)));
  }

  /** The mean of a variable. */
  of(variable: tf.Variable): tf.Variable | undefined {
    return this.#means[this.#variables.indexOf(variable)];
  }

  /** Adds the variables' values. */
  add(): void {
    this.count.assign(tf.add(this.count, 1));
    for (const [index, mean] of this.#means.entries())
      mean.assign(tf.add(mean, tf.div(tf.sub(this.#variables[index]!, mean), this.count)));
  }

  /** Gives the variables their means. */
  adopt(): void {
    for (const [index, mean] of this.#means.entries()) this.#variables[index]!.assign(tf.clone(mean));
  }

  dispose(): void {
    tf.dispose([...this.#means, this.count]);
  }
}
