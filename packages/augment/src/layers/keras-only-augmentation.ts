import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import { snakeCase } from "@convkit/core/internal";
import type { BaseArgs } from "./keras-arguments.ts";

export interface KerasOnlyAugmentationArgs extends BaseArgs {
  readonly kerasClass: string;
  /** The layer's own arguments in Keras' form. */
  readonly kerasConfig: Readonly<Record<string, unknown>>;
}

/**
 * A random layer of Keras that is not implemented here: it returns its input in prediction and throws an OptionError in
 * training.
 */
export class KerasOnlyAugmentation extends layers.Layer {
  static readonly className = "KerasOnlyAugmentation";
  readonly kerasClass: string;
  readonly kerasConfig: Readonly<Record<string, unknown>>;

  constructor({ kerasClass, kerasConfig, ...base }: KerasOnlyAugmentationArgs) {
    super(base);
    // tfjs converts texts and keys in a configuration to camelCase: AugMix becomes augMix.
    this.kerasClass = kerasClass.replace(/^\w/, (letter) => letter.toUpperCase());
    this.kerasConfig = Object.fromEntries(Object.entries(kerasConfig).map(([key, value]) => [snakeCase(key), value]));
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean } = {}): tf.Tensor {
    if (training === true) {
      throw new OptionError(
        `${this.name}: expected no training, because Keras' ${this.kerasClass} is not computed here; take the layer out of the model.`,
      );
    }
    return tf.clone(Array.isArray(inputs) ? inputs[0]! : inputs);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = { kerasClass: this.kerasClass, kerasConfig: this.kerasConfig } as tf.serialization.ConfigDict;
    return { ...super.getConfig(), ...config };
  }
}
