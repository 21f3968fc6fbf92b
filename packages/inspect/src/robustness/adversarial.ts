import { checkNumber, checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { imageBatch } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { targetOf } from "../network/target.ts";
import type { Target } from "../network/target.ts";

export interface FgsmOptions {
  /** The most that a value of the image changes, in the units of the network's input. */
  readonly epsilon: number;
  /** Least and most value that an image can have: `[0, 1]`, or `[-1, 1]` for networks of that input. */
  readonly range: readonly [least: number, most: number];
}

export interface PgdOptions extends FgsmOptions {
  /** Steps; 10 by default. */
  readonly steps?: number | undefined;
  /** How far a step goes; a quarter of `epsilon` by default. */
  readonly stepSize?: number | undefined;
}

/** Images that were changed so that the network errs. */
export interface Adversarial {
  readonly shape: readonly [images: number, height: number, width: number, channels: number];
  /** `[n, h, w, c]` */
  readonly values: Float32Array;
  /** The class that the network now gives each image. */
  readonly predicted: Int32Array;
}

const fgsmNames: OptionNames<FgsmOptions> = { epsilon: true, range: true };
const pgdNames: OptionNames<PgdOptions> = { ...fgsmNames, steps: true, stepSize: true };

/**
 * The fast gradient sign method: each value of an image moves by `epsilon` in the direction that raises the cross-entropy of the true
 * class. Goodfellow et al. 2014, https://arxiv.org/abs/1412.6572
 *
 * Throws an `OptionError` for images that do not fit, and labels that are no class.
 */
export function fgsm(
  model: tfl.LayersModel,
  images: Images,
  labels: ArrayLike<number>,
  options: FgsmOptions,
): Promise<Adversarial> {
  checkOptions("fgsm", options, fgsmNames);
  return attack("fgsm", model, images, labels, { ...options, steps: 1, stepSize: options?.epsilon });
}

/**
 * Projected gradient descent: several smaller steps of the fast gradient sign method, each brought back to within `epsilon` of the
 * image; starts from the image itself. Madry et al. 2017, https://arxiv.org/abs/1706.06083
 *
 * Throws as `fgsm` does.
 */
export function pgd(
  model: tfl.LayersModel,
  images: Images,
  labels: ArrayLike<number>,
  options: PgdOptions,
): Promise<Adversarial> {
  checkOptions("pgd", options, pgdNames);
  const { steps = 10, stepSize = (options?.epsilon ?? 0) / 4 } = options ?? {};
  return attack("pgd", model, images, labels, { ...options, steps, stepSize });
}

async function attack(
  where: string,
  model: tfl.LayersModel,
  images: Images,
  labels: ArrayLike<number>,
  { epsilon, range, steps, stepSize }: FgsmOptions & { readonly steps: number; readonly stepSize: number },
): Promise<Adversarial> {
  checkNumber(where, "epsilon", epsilon, 0);
  checkNumber(where, "stepSize", stepSize, 0);
  checkWhole(where, "steps", steps, 1);
  const [least, most] = checkedRange(where, range);
  const target = targetOf(where, model);
  const start = imageBatch(where, model, images);
  let moved: tf.Tensor4D = tf.clone(start);
  try {
    const wanted = checkedLabels(where, model, labels, start.shape[0]);
    for (let step = 0; step < steps; step++) {
      const before = moved;
      moved = tf.tidy(() => {
        const gradient = tf.grad((x: tf.Tensor) => crossEntropy(target, x, wanted))(before);
        const next = tf.add(before, tf.mul(tf.sign(gradient), stepSize));
        const near = tf.minimum(tf.maximum(next, tf.sub(start, epsilon)), tf.add(start, epsilon));
        return tf.clipByValue(near, least, most) as tf.Tensor4D;
      });
      before.dispose();
    }
    const predicted = tf.tidy(() => tf.argMax(twoColumns(target.scores(moved).values), 1));
    const found = Int32Array.from(await predicted.data());
    predicted.dispose();
    return { shape: moved.shape, values: (await moved.data()) as Float32Array, predicted: found };
  } finally {
    tf.dispose([start, moved]);
  }
}

/** The summed cross-entropy of the labels; the sum has the sign of the mean's gradient. */
function crossEntropy(target: Target, images: tf.Tensor, labels: Int32Array): tf.Scalar {
  const { values, areLogits } = target.scores(images);
  const logs = areLogits ? tf.logSoftmax(twoColumns(values)) : tf.log(twoColumns(values));
  const hot = tf.oneHot(tf.tensor1d(labels, "int32"), logs.shape[1] as number);
  return tf.neg(tf.sum(tf.mul(tf.cast(hot, "float32"), logs)));
}

/** One sigmoid's logit beside that of the other class, 0. */
function twoColumns(values: tf.Tensor2D): tf.Tensor2D {
  return values.shape[1] === 1 ? tf.concat([tf.zerosLike(values), values], 1) : values;
}

function checkedRange(where: string, range: unknown): readonly [number, number] {
  const [least, most] = Array.isArray(range) ? (range as unknown[]) : [];
  if (typeof least === "number" && typeof most === "number" && least < most) return [least, most];
  throw new OptionError(
    `${where}: expected range as [least, most] of the network's input, such as [0, 1], got ${shown(range)}.`,
  );
}

function checkedLabels(where: string, model: tfl.LayersModel, labels: ArrayLike<number>, images: number): Int32Array {
  const classes = Math.max(2, model.outputs[0]?.shape.at(-1) ?? 2);
  const given = Array.from(labels ?? []);
  if (given.length !== images || given.some((label) => !Number.isInteger(label) || label < 0 || label >= classes)) {
    throw new OptionError(
      `${where}: expected a class from 0 to ${classes - 1} for each of ${images} images, got ${shown(given)}.`,
    );
  }
  return Int32Array.from(given);
}
