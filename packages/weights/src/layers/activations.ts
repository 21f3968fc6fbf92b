import * as tf from "@tensorflow/tfjs-core";

/** Keras' name of an activation to the name that tfjs-layers registers it under. */
export const activationNames: Readonly<Record<string, string>> = {
  linear: "linear",
  relu: "relu",
  relu6: "relu6",
  elu: "elu",
  selu: "selu",
  sigmoid: "sigmoid",
  hard_sigmoid: "hardSigmoid",
  softmax: "softmax",
  log_softmax: "logSoftmax",
  softplus: "softplus",
  softsign: "softsign",
  tanh: "tanh",
  mish: "mish",
  gelu: "gelu",
  swish: "swish",
  silu: "swish",
  exponential: "exponential",
  leaky_relu: "leakyRelu",
  hard_silu: "hardSwish",
  hard_swish: "hardSwish",
  celu: "celu",
  hard_shrink: "hardShrink",
  hard_tanh: "hardTanh",
  log_sigmoid: "logSigmoid",
  soft_shrink: "softShrink",
  squareplus: "squareplus",
  tanh_shrink: "tanhShrink",
};

/** `min(max(x + 3, 0), 6) / 6`: what Keras 3 means by hard_sigmoid; Keras 2 and tfjs mean `0.2 x + 0.5`. */
export const keras3HardSigmoid = "hardSigmoidOfThree";

/** GELU by a hyperbolic tangent, which is what `keras.ops.gelu` means; tfjs' name of it. */
export const approximateGelu = "gelu_new";

const functions: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  exponential: (x) => tf.exp(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  [keras3HardSigmoid]: (x) => hardSigmoid(x),
  hardSwish: (x) => tf.mul(x, hardSigmoid(x)),
  // An alpha of 1, and so the same.
  celu: (x) => tf.elu(x),
  hardShrink: (x) => tf.where(tf.greater(tf.abs(x), 0.5), x, tf.zerosLike(x)),
  hardTanh: (x) => tf.clipByValue(x, -1, 1),
  logSigmoid: (x) => tf.logSigmoid(x),
  softShrink: (x) => tf.sub(x, tf.clipByValue(x, -0.5, 0.5)),
  squareplus: (x) => tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), 4))), 2),
  tanhShrink: (x) => tf.sub(x, tf.tanh(x)),
};

function hardSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6);
}

/** Lets tfjs-layers make the activations of Keras that it lacks; doing it again changes nothing. */
export function registerActivations(): void {
  for (const [className, apply] of Object.entries(functions)) {
    class Activation extends tf.serialization.Serializable {
      static className = className;
      apply(x: tf.Tensor): tf.Tensor {
        return tf.tidy(() => apply(x));
      }
      getConfig(): tf.serialization.ConfigDict {
        return {};
      }
    }
    tf.serialization.registerClass(Activation as never);
  }
}
