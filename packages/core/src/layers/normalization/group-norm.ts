import { OptionError, checkOptions } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../../block/block.ts";
import { checkNumber } from "../check-values.ts";
import { checkCount } from "../check-window.ts";
import { onlyShape, onlyTensor } from "../../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../../typed/shape-change.ts";

export interface GroupNormOptions {
  /** Added to the variance: 1e-3 by default, as in Keras; PyTorch's default is 1e-5. */
  readonly epsilon?: number | undefined;
}

/**
 * Normalizes each image's groups of channels over height and width: shape unchanged, no batch statistics.
 * Wu and He 2018, https://arxiv.org/abs/1803.08494
 */
export function groupNorm(groups = 32, options: GroupNormOptions = {}): ShapedBlock<Unchanged> {
  checkCount("groupNorm", "groups", groups);
  checkOptions("groupNorm", options, { epsilon: true });
  const { epsilon = 1e-3 } = options;
  checkNumber("groupNorm", "epsilon", epsilon, 0);
  return layer((name) => new GroupNormalization({ name, groups, epsilon }), "group_normalization");
}

interface Args {
  name?: string;
  groups?: number;
  epsilon?: number;
  center?: boolean;
  scale?: boolean;
}

/** Keras' layer of this name over the last axis, for lists, sequences and maps. */
export class GroupNormalization extends tfjs.Layer {
  static className = "GroupNormalization";
  readonly #args: Required<Omit<Args, "name">>;
  #gamma: tfl.LayerVariable | undefined;
  #beta: tfl.LayerVariable | undefined;

  constructor({ groups = 32, epsilon = 1e-3, center = true, scale = true, ...base }: Args) {
    super(base);
    this.#args = { groups, epsilon, center, scale };
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const channels = onlyShape(inputShape).at(-1) as number;
    const { groups, center, scale } = this.#args;
    if (channels % groups !== 0) {
      throw new OptionError(`${this.name}: expected channels that ${groups} groups divide, got ${channels}.`);
    }
    if (scale) this.#gamma = this.addWeight("gamma", [channels], "float32", tfjs.ones());
    if (center) this.#beta = this.addWeight("beta", [channels], "float32", tfjs.zeros());
    this.built = true;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const channels = x.shape.at(-1) as number;
      const { groups, epsilon } = this.#args;
      const parts = tf.reshape(x, [x.shape[0] as number, -1, groups, channels / groups]);
      const mean = tf.mean(parts, [1, 3], true);
      const centered = tf.sub(parts, mean);
      const variance = tf.mean(tf.square(centered), [1, 3], true);
      let y: tf.Tensor = tf.reshape(tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon))), x.shape);
      if (this.#gamma !== undefined) y = tf.mul(y, this.#gamma.read());
      if (this.#beta !== undefined) y = tf.add(y, this.#beta.read());
      return y;
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), ...this.#args };
  }
}
