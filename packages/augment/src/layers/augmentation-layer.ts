import { snakeCase } from "@convkit/core/internal";
import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import type { Shape } from "@tensorflow/tfjs-layers";
import type { Augmentation } from "../augmentation.ts";
import { randomStream, seedOf, streamRandom } from "../random/layer-random.ts";
import type { RandomLayerArgs } from "./keras-arguments.ts";

/** The configuration of a random layer of Keras, with tfjs' camelCase names. */
export type LayerConfig = Readonly<Record<string, string | number | boolean | null | readonly number[]>>;

/**
 * A random layer of Keras, `[n, h, w, c] -> [n, h, w, c]`: it augments in training (`training: true`) and returns its
 * input otherwise. It has no weights. Saved models contain it with Keras' class name and configuration.
 */
export abstract class AugmentationLayer extends layers.Layer {
  readonly #config: LayerConfig;
  readonly #augment: Augmentation;
  /** The seed that the layer was made with. Without one, its random numbers depend on its name. */
  readonly ownSeed: number | undefined;
  #stream: tf.Variable | undefined;

  protected constructor(args: RandomLayerArgs, config: LayerConfig, augment: Augmentation) {
    const { seed = null, dataFormat: _, ...base } = args;
    super(base);
    this.#config = { ...config, seed, dataFormat: "channels_last" };
    this.#augment = augment;
    this.ownSeed = seed ?? undefined;
  }

  /**
   * The seed and the number of draws so far, `[2]`; undefined before the layer is built. Resuming a training requires
   * it.
   */
  get stream(): tf.Variable | undefined {
    return this.#stream;
  }

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    this.#stream = randomStream(this.ownSeed ?? seedOf(this.name));
  }

  override dispose(): ReturnType<layers.Layer["dispose"]> {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.#stream?.dispose();
    return result;
  }

  /** The Keras class of this layer. */
  get kerasClass(): string {
    return this.getClassName();
  }

  /** The layer's own arguments in Keras 3's form: snake_case, without `name`, `dtype` and `trainable`. */
  get kerasConfig(): LayerConfig {
    return Object.fromEntries(Object.entries(this.#config).map(([key, value]) => [snakeCase(key), value]));
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean } = {}): tf.Tensor {
    const images = Array.isArray(inputs) ? inputs[0]! : inputs;
    if (images.shape.length !== 4) {
      throw new OptionError(
        `${this.name}: expected images [n, height, width, channels], got the shape ${shown(images.shape)}.`,
      );
    }
    return training === true
      ? this.#augment(images as tf.Tensor4D, streamRandom(this.#stream!))
      : this.unchanged(images as tf.Tensor4D);
  }

  /** The output when nothing is drawn. */
  protected unchanged(images: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => tf.clone(tf.cast(images, "float32")));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.#config as tf.serialization.ConfigDict) };
  }
}
