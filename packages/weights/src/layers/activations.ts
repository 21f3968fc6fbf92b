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
};

/** `min(max(x + 3, 0), 6) / 6`: what Keras 3 means by hard_sigmoid; Keras 2 and tfjs mean `0.2 x + 0.5`. */
export const keras3HardSigmoid = "hardSigmoidOfThree";

const functions: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  exponential: (x) => tf.exp(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  [keras3HardSigmoid]: (x) => hardSigmoid(x),
  hardSwish: (x) => tf.mul(x, hardSigmoid(x)),
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
