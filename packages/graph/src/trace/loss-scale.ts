import * as tf from "@tensorflow/tfjs-core";

/** Steps without an overflow after which the scale doubles, as in Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740. */
export const PATIENCE = 2000;

/**
 * The factor that float16 training multiplies the loss by, so that small gradients do not vanish. It is halved when gradients
 * overflow (that step changes no variable), and doubled after `PATIENCE` steps without an overflow.
 */
export class LossScale {
  readonly scale = tf.tidy(() => tf.variable(tf.scalar(2 ** 15), false));
  /** Steps since the last overflow or doubling. */
  readonly good = tf.tidy(() => tf.variable(tf.scalar(0), false));

  dispose(): void {
    this.scale.dispose();
    this.good.dispose();
  }
}
