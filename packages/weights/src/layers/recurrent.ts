import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { oneShape } from "./base-layers.ts";
import { dropped } from "./dropped.ts";
import { activationNamed } from "./kernels.ts";
import { weightConfig, weightOptions } from "./weight-options.ts";

interface GruArgs {
  readonly units: number;
  readonly activation?: string;
  readonly recurrentActivation?: string;
  readonly useBias?: boolean;
  readonly returnSequences?: boolean;
  readonly returnState?: boolean;
  readonly goBackwards?: boolean;
  /** Share of the inputs and of the states that training sets to zero, the same at every step. */
  readonly dropout?: number;
  readonly recurrentDropout?: number;
}

interface GruCall {
  readonly training?: boolean;
  readonly mask?: tf.Tensor | tf.Tensor[] | null;
  readonly initialState?: readonly tf.Tensor[] | null;
}

/**
 * Keras' GRU that applies the reset gate after the matrix product (`reset_after=True`, the default). tfjs-layers' own
 * lacks this form: `[n, length, c] -> [n, units]`, or `[n, length, units]` with `returnSequences`, and the last state
 * with `returnState`. Takes the sequence, or the sequence and the first state.
 */
export class ResetAfterGRU extends tfl.layers.Layer {
  static className = "ResetAfterGRU";
  readonly args: GruArgs;
  readonly returnState: boolean;
  readonly returnSequences: boolean;
  readonly goBackwards: boolean;
  /** One state, for tfjs' Bidirectional; none is kept between batches. */
  readonly states = [null];
  #kernel: tfl.LayerVariable | undefined;
  #recurrent: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;
  readonly #gate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & GruArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { units, activation = "tanh", recurrentActivation = "sigmoid", useBias = true } = args;
    const { dropout = 0, recurrentDropout = 0 } = args;
    this.returnSequences = args.returnSequences ?? false;
    this.returnState = args.returnState ?? false;
    this.goBackwards = args.goBackwards ?? false;
    this.supportsMasking = true;
    this.args = {
      units,
      activation,
      recurrentActivation,
      useBias,
      dropout,
      recurrentDropout,
      ...weightConfig(args),
    };
    this.#activate = activationNamed(activation);
    this.#gate = activationNamed(recurrentActivation);
  }

  override build(shape: Shape): void {
    const { units, useBias } = this.args;
    const channels = oneShape(shape).at(-1)!;
    const add = (
      name: string,
      key: string,
      sizes: number[],
      start: ReturnType<typeof tfl.initializers.zeros>,
    ): tfl.LayerVariable => {
      const { initializer, regularizer, constraint } = weightOptions(this.args, key, start);
      return this.addWeight(name, sizes, "float32", initializer, regularizer, true, constraint);
    };
    this.#kernel = add("kernel", "kernel", [channels, 3 * units], tfl.initializers.glorotUniform({}));
    this.#recurrent = add("recurrent_kernel", "recurrent", [units, 3 * units], tfl.initializers.orthogonal({}));
    if (useBias === true) this.#bias = add("bias", "bias", [2, 3 * units], tfl.initializers.zeros());
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch = null, length = null] = oneShape(shape);
    const { units } = this.args;
    const output = this.returnSequences ? [batch, length, units] : [batch, units];
    return this.returnState ? [output, [batch, units]] : output;
  }

  override computeMask(_: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const own = this.returnSequences ? [mask].flat()[0] : undefined;
    const all = this.returnState ? [own ?? null, null] : (own ?? null);
    return all as unknown as tf.Tensor;
  }

  override call(inputs: Inputs, { training, mask, initialState }: GruCall = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const [given, first] = [inputs].flat() as [tf.Tensor3D, tf.Tensor | undefined];
      const [batch, length, channels] = given.shape;
      const { units, dropout = 0, recurrentDropout = 0 } = this.args;
      const x = dropped(given, training === true ? dropout : 0, [batch, 1, channels]);
      const [own, back] = this.#bias === undefined ? [undefined, undefined] : tf.unstack(this.#bias.read());
      const plus = (y: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor => (bias === undefined ? y : tf.add(y, bias));
      const flat = tf.matMul(tf.reshape(x, [batch * length, channels]), this.#kernel!.read() as tf.Tensor2D);
      const steps = tf.unstack(tf.reshape(plus(flat, own), [batch, length, 3 * units]), 1);
      const masks = this.#masks([mask].flat()[0] ?? undefined, steps.length);
      let state = initialState?.[0] ?? first ?? tf.zeros([batch, units]);
      let output: tf.Tensor = tf.zeros([batch, units]);
      const rate = training === true ? recurrentDropout : 0;
      const share = rate === 0 ? undefined : dropped(tf.ones([batch, units]), rate);
      const order = Array.from({ length }, (_, index) => (this.goBackwards ? length - 1 - index : index));
      const outputs = order.map((index) => {
        const [z, r, h] = tf.split(steps[index]!, 3, 1);
        const before = share === undefined ? state : tf.mul(state, share);
        const inner = plus(tf.matMul(before as tf.Tensor2D, this.#recurrent!.read() as tf.Tensor2D), back);
        const [innerZ, innerR, innerH] = tf.split(inner, 3, 1);
        const update = this.#gate(tf.add(z!, innerZ!));
        const reset = this.#gate(tf.add(r!, innerR!));
        const fresh = this.#activate(tf.add(h!, tf.mul(reset, innerH!)));
        const next = tf.add(tf.mul(update, state), tf.mul(tf.sub(1, update), fresh));
        const isGiven = masks?.[index];
        // A masked step repeats the output and the state before it.
        output = isGiven === undefined ? next : tf.where(isGiven, next, output);
        state = isGiven === undefined ? next : tf.where(isGiven, next, state);
        return output;
      });
      const y = this.returnSequences ? tf.stack(outputs, 1) : output;
      return this.returnState ? [y, state] : y;
    });
  }

  /** One mask for each step, as wide as the state. */
  #masks(mask: tf.Tensor | undefined, length: number): tf.Tensor[] | undefined {
    if (mask === undefined) return undefined;
    const [batch] = mask.shape as [number];
    const wide = tf.tile(tf.cast(tf.expandDims(mask, 2), "int32"), [1, 1, this.args.units]);
    return tf.split(wide, length, 1).map((step) => tf.cast(tf.reshape(step, [batch, this.args.units]), "bool"));
  }

  override getConfig(): Config {
    const { returnSequences, returnState, goBackwards } = this;
    return { ...super.getConfig(), ...(this.args as object), returnSequences, returnState, goBackwards };
  }
}
