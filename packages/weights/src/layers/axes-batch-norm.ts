import { BatchNormalization } from "@convkit/core";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { Config, Inputs, Shape } from "./base-layers.ts";

type Variable = tfl.LayerVariable;

/** The fields of tfjs-layers' batch normalization, which this class fills itself. */
interface Fields {
  readonly epsilon: number;
  readonly momentum: number;
  readonly center: boolean;
  readonly scale: boolean;
  gamma: Variable | null;
  beta: Variable | null;
  movingMean: Variable;
  movingVariance: Variable;
}

interface CallOptions {
  readonly training?: boolean;
  /** `[n, steps]`: the steps of a sequence that count. */
  readonly mask?: tf.Tensor | tf.Tensor[] | null;
}

type Args = ConstructorParameters<typeof BatchNormalization>[0];

/**
 * Keras 2's batch normalization over several axes: statistics and weights for each place of these axes. Shape unchanged. Masked
 * steps of a sequence are no part of a batch's statistics. Weights have as many axes as the input, with a size of 1 for the others, as in Keras' files.
 */
export class AxesBatchNormalization extends BatchNormalization {
  static override className = "AxesBatchNormalization";
  readonly axes: readonly number[];

  constructor({ axis, ...rest }: Omit<NonNullable<Args>, "axis"> & { axis: readonly number[] }) {
    super({ ...rest, axis: -1 });
    this.axes = [...axis];
  }

  /** The axes counted from the front, in their order. */
  axesOf(rank: number): number[] {
    return this.axes.map((axis) => (axis < 0 ? axis + rank : axis)).toSorted((a, b) => a - b);
  }

  override build(inputShape: Shape): void {
    const shape = oneShape(inputShape);
    const kept = this.axesOf(shape.length);
    const sizes = shape.map((size, axis) => {
      if (!kept.includes(axis)) return 1;
      if (size == null)
        throw new OptionError(`axis ${axis} of an input of [${shape}] has no size to keep statistics for`);
      return size;
    });
    const options = this as unknown as Record<string, never> & Fields;
    const add = (name: string, key: string, isTrained: boolean): Variable =>
      this.addWeight(
        name,
        sizes,
        "float32",
        options[`${key}Initializer`],
        options[`${key}Regularizer`],
        isTrained,
        options[`${key}Constraint`],
      );
    if (options.scale) options.gamma = add("gamma", "gamma", true);
    if (options.center) options.beta = add("beta", "beta", true);
    options.movingMean = add("moving_mean", "movingMean", false);
    options.movingVariance = add("moving_variance", "movingVariance", false);
    this.built = true;
  }

  override call(inputs: Inputs, { training, mask }: CallOptions = {}): tf.Tensor {
    const { epsilon, momentum, gamma, beta, movingMean, movingVariance } = this as unknown as Fields;
    return tf.tidy(() => {
      const x = one(inputs);
      const kept = this.axesOf(x.rank);
      const others = [...x.shape.keys()].filter((axis) => !kept.includes(axis));
      const isTrained = training === true && this.trainable;
      const { mean, variance } = isTrained
        ? momentsOf(x, others, [mask].flat()[0])
        : { mean: movingMean.read(), variance: movingVariance.read() };
      const move = (average: Variable, value: tf.Tensor): void => {
        const before = average.read();
        average.write(tf.add(before, tf.mul(tf.sub(value, before), 1 - momentum)));
      };
      if (isTrained) {
        move(movingMean, mean);
        move(movingVariance, variance);
      }
      const y = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
      const scaled = gamma == null ? y : tf.mul(y, gamma.read());
      return beta == null ? scaled : tf.add(scaled, beta.read());
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), axis: [...this.axes] };
  }
}

/** Mean and variance over axes, of the steps that a mask keeps: tf.nn.weighted_moments, as in Keras 2. */
function momentsOf(
  x: tf.Tensor,
  axes: number[],
  mask: tf.Tensor | null | undefined,
): { mean: tf.Tensor; variance: tf.Tensor } {
  if (mask == null) return tf.moments(x, axes, true);
  const steps = tf.reshape(tf.cast(mask, "float32"), [...mask.shape, ...x.shape.slice(mask.rank).map(() => 1)]);
  const kept = tf.mul(steps, tf.onesLike(x));
  const count = tf.sum(kept, axes, true);
  const average = (values: tf.Tensor): tf.Tensor => tf.div(tf.sum(tf.mul(values, kept), axes, true), count);
  const mean = average(x);
  return { mean, variance: average(tf.square(tf.sub(x, mean))) };
}
