import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Block } from "../block/block.ts";
import { checkFunctions, checkNumber } from "./check-values.ts";
import { onlyShape } from "../tfjs/layer-class.ts";

/** `x + scale * block(x)`: shape unchanged. Inception-ResNet's residuals. Szegedy et al. 2016, https://arxiv.org/abs/1602.07261 */
export function scaledAdd(scale: number, block: Block): Block {
  checkNumber("scaledAdd", "scale", scale);
  checkFunctions("scaledAdd", { block: block ?? null });
  return (x, name) => new CustomScaleLayer({ name, scale }).apply([x, block(x, `${name}.block`)]) as tfl.SymbolicTensor;
}

/** The layer has this name in Keras' InceptionResNetV2. */
export class CustomScaleLayer extends tfjs.Layer {
  static className = "CustomScaleLayer";
  readonly #scale: number;

  constructor({ scale, ...base }: { name?: string; scale: number }) {
    super(base);
    this.#scale = scale;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(shape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [shortcut, residual] = inputs as [tf.Tensor, tf.Tensor];
    return tf.tidy(() => tf.add(shortcut, tf.mul(residual, this.#scale)));
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), scale: this.#scale };
  }
}
