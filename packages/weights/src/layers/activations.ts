import * as tf from "@tensorflow/tfjs-core";
import { sparsemax } from "../operations/order.ts";

/** Maps Keras' name of an activation to tfjs-layers' name. */
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
  sparse_plus: "sparsePlus",
  sparse_sigmoid: "sparseSigmoid",
  sparsemax: "sparsemax",
};

/** core's name of `min(max(x + 3, 0), 6) / 6`: Keras 3's hard_sigmoid. Keras 2 and tfjs use `0.2 x + 0.5`, clipped. */
export const keras3HardSigmoid = "hardSigmoidOfThree";

/** tfjs' name of the tanh approximation of GELU, the default of `keras.ops.gelu`. */
export const approximateGelu = "gelu_new";

const functions: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  exponential: (x) => tf.exp(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  // CELU with an alpha of 1 equals ELU.
  celu: (x) => tf.elu(x),
  hardShrink: (x) => tf.where(tf.greater(tf.abs(x), 0.5), x, tf.zerosLike(x)),
  hardTanh: (x) => tf.clipByValue(x, -1, 1),
  logSigmoid: (x) => tf.logSigmoid(x),
  softShrink: (x) => tf.sub(x, tf.clipByValue(x, -0.5, 0.5)),
  squareplus: (x) => tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), 4))), 2),
  sparsePlus: (x) => {
    const middle = tf.div(tf.square(tf.add(x, 1)), 4);
    return tf.where(tf.lessEqual(x, -1), tf.zerosLike(x), tf.where(tf.less(x, 1), middle, x));
  },
  sparseSigmoid: (x) => tf.clipByValue(tf.div(tf.add(x, 1), 2), 0, 1),
  sparsemax,
  tanhShrink: (x) => tf.sub(x, tf.tanh(x)),
};

/** What the names of the user's activations begin with in tfjs-layers. */
export const userPrefix = "user>";

/** The name under which tfjs-layers registers a user's activation. */
export function functionName(name: string): string {
  return userPrefix + name;
}

let givenNames: ReadonlySet<string> = new Set();

/** Registers the user's activations for the model that is being made, by name. */
export function registerFunctions(given: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>>): void {
  givenNames = new Set(Object.keys(given));
  for (const [name, apply] of Object.entries(given)) registerActivation(functionName(name), apply);
}

/**
 * The activation that the user gave under a name of a file, as tfjs-layers has it. tfjs writes such names in snake case:
 * `user>_thrice` for `Thrice`.
 */
export function givenFunction(stored: string): string | undefined {
  const found = [...givenNames].find((name) => {
    const own = functionName(name);
    return [name, own, tfjsSnakeCase(own)].includes(stored);
  });
  return found === undefined ? undefined : functionName(found);
}

/** How tfjs-layers writes the class name of an activation. Source: tfjs-layers/src/utils/generic_utils.ts */
function tfjsSnakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Registers Keras' activations that tfjs-layers lacks; repeated calls change nothing. */
export function registerActivations(): void {
  for (const [className, apply] of Object.entries(functions)) registerActivation(className, apply);
}

/** The functions of the activations by their class names. */
const applied = new Map<string, (x: tf.Tensor) => tf.Tensor>();
const classes = new Map<string, object>();

/** Registers a function as the activation of a name; models that were made before keep theirs. */
function registerActivation(className: string, apply: (x: tf.Tensor) => tf.Tensor): void {
  applied.set(className, apply);
  // One class for each name: tfjs holds every class that was ever registered.
  const registered = classes.get(className) ?? activationClass(className);
  classes.set(className, registered);
  tf.serialization.registerClass(registered as never);
}

function activationClass(className: string): object {
  return class Activation extends tf.serialization.Serializable {
    static className = className;
    readonly #apply = applied.get(className)!;
    apply(x: tf.Tensor): tf.Tensor {
      return tf.tidy(() => this.#apply(x));
    }
    getConfig(): tf.serialization.ConfigDict {
      return {};
    }
  };
}
