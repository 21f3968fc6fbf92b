import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { one, oneShape } from "./base-layers.ts";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { activationNamed } from "./kernels.ts";

interface GruArgs {
  readonly units: number;
  readonly activation?: string;
  readonly recurrentActivation?: string;
  readonly useBias?: boolean;
  readonly returnSequences?: boolean;
  readonly goBackwards?: boolean;
}

/**
 * Keras' GRU that applies the reset gate after the matrix product (`reset_after=True`, the default). tfjs-layers' own
 * lacks this form: `[n, length, c] -> [n, units]`, or `[n, length, units]` with `returnSequences`.
 */
export class ResetAfterGRU extends tfl.layers.Layer {
  static className = "ResetAfterGRU";
  readonly args: GruArgs;
  readonly returnState = false;
  readonly returnSequences: boolean;
  readonly goBackwards: boolean;
  #kernel: tfl.LayerVariable | undefined;
  #recurrent: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;
  readonly #gate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & GruArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { units, activation = "tanh", recurrentActivation = "sigmoid", useBias = true } = args;
    this.returnSequences = args.returnSequences ?? false;
    this.goBackwards = args.goBackwards ?? false;
    this.args = { units, activation, recurrentActivation, useBias };
    this.#activate = activationNamed(activation);
    this.#gate = activationNamed(recurrentActivation);
  }

  override build(shape: Shape): void {
    const { units, useBias } = this.args;
    const channels = oneShape(shape).at(-1)!;
    this.#kernel = this.addWeight("kernel", [channels, 3 * units], "float32", tfl.initializers.glorotUniform({}));
    this.#recurrent = this.addWeight(
      "recurrent_kernel",
      [units, 3 * units],
      "float32",
      tfl.initializers.orthogonal({}),
    );
    if (useBias === true) this.#bias = this.addWeight("bias", [2, 3 * units], "float32", tfl.initializers.zeros());
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch, length] = oneShape(shape);
    const { units } = this.args;
    return this.returnSequences ? [batch ?? null, length ?? null, units] : [batch ?? null, units];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs) as tf.Tensor3D;
      const [batch, length, channels] = x.shape;
      const { units } = this.args;
      const [own, back] = this.#bias === undefined ? [undefined, undefined] : tf.unstack(this.#bias.read());
      const plus = (y: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor => (bias === undefined ? y : tf.add(y, bias));
      const flat = tf.matMul(tf.reshape(x, [batch * length, channels]), this.#kernel!.read() as tf.Tensor2D);
      const steps = tf.unstack(tf.reshape(plus(flat, own), [batch, length, 3 * units]), 1);
      let state: tf.Tensor = tf.zeros([batch, units]);
      const states = (this.goBackwards ? steps.toReversed() : steps).map((step) => {
        const [z, r, h] = tf.split(step, 3, 1);
        const inner = plus(tf.matMul(state as tf.Tensor2D, this.#recurrent!.read() as tf.Tensor2D), back);
        const [innerZ, innerR, innerH] = tf.split(inner, 3, 1);
        const update = this.#gate(tf.add(z!, innerZ!));
        const reset = this.#gate(tf.add(r!, innerR!));
        const fresh = this.#activate(tf.add(h!, tf.mul(reset, innerH!)));
        state = tf.add(tf.mul(update, state), tf.mul(tf.sub(1, update), fresh));
        return state;
      });
      return this.returnSequences ? tf.stack(states, 1) : state;
    });
  }

  override getConfig(): Config {
    const { returnSequences, goBackwards } = this;
    return { ...super.getConfig(), ...(this.args as object), returnSequences, goBackwards };
  }
}
