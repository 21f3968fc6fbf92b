import * as tf from "@tensorflow/tfjs-core";

/** `min(max(x + 3, 0), 6) / 6`: hard_sigmoid of Keras 3 and PyTorch. tfjs' own `hardSigmoid` is `0.2 x + 0.5`, clipped, as in Keras 2. */
class HardSigmoid extends tf.serialization.Serializable {
  static className = "hardSigmoidOfThree";

  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => gate(x));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** `x min(max(x + 3, 0), 6) / 6`. Howard et al. 2019, Searching for MobileNetV3, section 5.2, https://arxiv.org/abs/1905.02244 */
class HardSwish extends tf.serialization.Serializable {
  static className = "hardSwish";

  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.mul(x, gate(x)));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

function gate(x: tf.Tensor): tf.Tensor {
  return tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6);
}

/** Lets tfjs-layers find `hardSwish` and `hardSigmoidOfThree` by name; calling it again is harmless. */
export function registerHardActivations(): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  for (const each of [HardSigmoid, HardSwish])
    if (!Object.hasOwn(classNameMap, each.className)) tf.serialization.registerClass(each);
}
