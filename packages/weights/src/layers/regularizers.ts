import * as tf from "@tensorflow/tfjs-core";

/** Keras' OrthogonalRegularizer: a penalty on the cosines between the rows, or the columns, of a matrix. */
export class OrthogonalRegularizer extends tf.serialization.Serializable {
  static className = "OrthogonalRegularizer";
  readonly factor: number;
  readonly mode: "rows" | "columns";

  constructor({ factor, mode }: { factor?: number; mode?: "rows" | "columns" } = {}) {
    super();
    this.factor = factor ?? 0.01;
    this.mode = mode ?? "rows";
  }

  apply(x: tf.Tensor): tf.Scalar {
    return tf.tidy(() => {
      const rows = this.mode === "rows" ? x : tf.transpose(x);
      const unit = tf.mul(rows, tf.rsqrt(tf.maximum(tf.sum(tf.square(rows), 1, true), 1e-14)));
      const size = unit.shape[0]!;
      const cosines = tf.mul(tf.matMul(unit, unit, false, true), tf.sub(1, tf.eye(size)));
      const pairs = (size * (size - 1)) / 2;
      return tf.mul(tf.sum(tf.abs(cosines)), (0.5 * this.factor) / pairs) as tf.Scalar;
    });
  }

  getConfig(): tf.serialization.ConfigDict {
    return { factor: this.factor, mode: this.mode };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }
}
