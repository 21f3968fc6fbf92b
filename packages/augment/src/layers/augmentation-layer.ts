import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import type { Augmentation } from "./augmentation.ts";

export type BaseArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** Augments while training and passes images on otherwise; has no weights and is saved with its model. */
export abstract class AugmentationLayer<Args extends object> extends layers.Layer {
  readonly #own: Args;
  readonly #augment: Augmentation;

  constructor(args: Args & BaseArgs, keys: readonly (keyof Args)[]) {
    super(args);
    this.#own = Object.fromEntries(keys.flatMap((key) => (args[key] == null ? [] : [[key, args[key]]]))) as Args;
    // A wrong argument is to fail here, not in the first step.
    this.#augment = this.augmentation(this.#own);
  }

  protected abstract augmentation(args: Args): Augmentation;

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    const images = (Array.isArray(inputs) ? inputs[0]! : inputs) as tf.Tensor4D;
    return training ? this.#augment(images) : this.still(images);
  }

  /** What comes out when nothing is drawn. */
  protected still(images: tf.Tensor4D): tf.Tensor4D {
    return tf.clone(images);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.#own as tf.serialization.ConfigDict) };
  }
}
