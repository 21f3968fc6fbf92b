import { allReduce } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { imageMean } from "./image-mean.ts";

/**
 * The sum of the gradients of several batches, weighted by their numbers of images. So the mean equals the mean of one
 * large batch, whatever the batch sizes.
 */
export class GradientSum {
  /** Sums by the name of the gradients' variable. */
  readonly #sums = new Map<string, tf.Variable>();
  /** The number of images added. */
  readonly images = tf.tidy(() => tf.variable(tf.scalar(0), false));

  /** Makes sums for variables that have none. */
  makeRoom(variables: readonly tf.Variable[]): void {
    for (const variable of variables)
      if (!this.#sums.has(variable.name))
        this.#sums.set(
          variable.name,
          tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
        );
  }

  /** The sum of a variable's gradients. */
  of(variable: tf.Variable): tf.Variable | undefined {
    return this.#sums.get(variable.name);
  }

  /** Adds the mean gradients of a batch of `images` images. */
  add(gradients: tf.NamedTensorMap, images: number | tf.Scalar): void {
    for (const [name, gradient] of Object.entries(gradients)) {
      const sum = this.#sums.get(name);
      sum?.assign(tf.add(sum, tf.mul(gradient, images)));
    }
    this.images.assign(tf.add(this.images, images));
  }

  /** Returns the mean gradients of `variables` over all images added in all workers, and sets the sums to zero. */
  take(variables: readonly tf.Variable[]): tf.NamedTensorMap {
    const own: tf.Tensor[] = [this.images, ...variables.map((variable) => this.of(variable)!)];
    const [images, ...sums] = allReduce(own, { exact: (place) => place === 0 });
    const mean = imageMean(images!);
    const means = variables.map(({ name }, place) => [name, mean(sums[place]!)] as const);
    for (const sum of [...this.#sums.values(), this.images]) sum.assign(tf.zerosLike(sum));
    return Object.fromEntries(means);
  }

  dispose(): void {
    tf.dispose([...this.#sums.values(), this.images]);
  }
}
