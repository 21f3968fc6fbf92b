import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { oneShape } from "./base-layers.ts";
import { spread } from "./convolutions.ts";
import { dropped } from "./dropped.ts";
import { activationNamed } from "./kernels.ts";
import { weightConfig, weightOptions } from "./weight-options.ts";

interface ConvLSTMArgs {
  readonly filters: number;
  readonly kernelSize: number | readonly number[];
  readonly strides?: number | readonly number[];
  readonly padding?: "same" | "valid";
  readonly dilationRate?: number | readonly number[];
  readonly activation?: string;
  readonly recurrentActivation?: string;
  readonly useBias?: boolean;
  readonly unitForgetBias?: boolean;
  readonly returnSequences?: boolean;
  readonly returnState?: boolean;
  readonly goBackwards?: boolean;
  /** Share of the inputs and of the states that training sets to zero, the same at every step. */
  readonly dropout?: number;
  readonly recurrentDropout?: number;
}

interface RecurrentCall {
  readonly training?: boolean;
  readonly mask?: tf.Tensor | tf.Tensor[] | null;
  readonly initialState?: readonly tf.Tensor[] | null;
}

const Zeros = tfl.initializers.zeros().constructor as new () => ReturnType<typeof tfl.initializers.zeros>;

/** Ones for the forget gate, which is the second of four, and zeros for the others. */
class ForgetBias extends Zeros {
  static className = "ForgetBias";

  override apply(shape: tfl.Shape): tf.Tensor {
    const size = shape[0]! / 4;
    return tf.tidy(() => tf.concat([tf.zeros([size]), tf.ones([size]), tf.zeros([2 * size])]));
  }
}

/**
 * An LSTM whose products are convolutions, over steps of any number of axes. tfjs-layers has it for maps only. Takes the
 * sequence, or the sequence and the first two states. Shi et al. 2015, https://arxiv.org/abs/1506.04214
 */
abstract class ConvLSTM extends tfl.layers.Layer {
  readonly args: ConvLSTMArgs;
  readonly returnState: boolean;
  readonly returnSequences: boolean;
  readonly goBackwards: boolean;
  /** The axes of a step without its channels. */
  abstract readonly rank: 1 | 3;
  #kernel: tfl.LayerVariable | undefined;
  #recurrent: tfl.LayerVariable | undefined;
  #bias: tfl.LayerVariable | undefined;
  readonly #activate: (x: tf.Tensor) => tf.Tensor;
  readonly #gate: (x: tf.Tensor) => tf.Tensor;

  constructor(args: BaseArgs & ConvLSTMArgs) {
    super({ name: args.name!, ...(args.trainable === undefined ? {} : { trainable: args.trainable }) });
    const { filters, kernelSize, strides = 1, padding = "valid", dilationRate = 1 } = args;
    const { activation = "tanh", recurrentActivation = "sigmoid", useBias = true, unitForgetBias = true } = args;
    const { dropout = 0, recurrentDropout = 0 } = args;
    this.returnSequences = args.returnSequences ?? false;
    this.returnState = args.returnState ?? false;
    this.goBackwards = args.goBackwards ?? false;
    this.supportsMasking = true;
    this.args = {
      filters,
      kernelSize,
      strides,
      padding,
      dilationRate,
      activation,
      recurrentActivation,
      useBias,
      unitForgetBias,
      dropout,
      recurrentDropout,
      ...weightConfig(args),
    };
    this.#activate = activationNamed(activation);
    this.#gate = activationNamed(recurrentActivation);
  }

  override build(shape: Shape): void {
    const { filters, useBias, unitForgetBias } = this.args;
    const sizes = this.#each(this.args.kernelSize);
    const add = (
      name: string,
      key: string,
      size: number[],
      start: ReturnType<typeof tfl.initializers.zeros>,
    ): tfl.LayerVariable => {
      const { initializer, regularizer, constraint } = weightOptions(this.args, key, start);
      return this.addWeight(name, size, "float32", initializer, regularizer, true, constraint);
    };
    const channels = oneShape(shape).at(-1)!;
    this.#kernel = add("kernel", "kernel", [...sizes, channels, 4 * filters], tfl.initializers.glorotUniform({}));
    this.#recurrent = add(
      "recurrent_kernel",
      "recurrent",
      [...sizes, filters, 4 * filters],
      tfl.initializers.orthogonal({}),
    );
    if (useBias === true) {
      const isOne = unitForgetBias === true;
      const { initializer, regularizer, constraint } = weightOptions(this.args, "bias", tfl.initializers.zeros());
      const start = isOne ? new ForgetBias() : initializer;
      this.#bias = this.addWeight("bias", [4 * filters], "float32", start, regularizer, true, constraint);
    }
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch = null, length = null, ...sizes] = oneShape(shape);
    const state = [batch, ...this.#outputSizes(sizes.slice(0, -1)), this.args.filters];
    const output = this.returnSequences ? [batch, length, ...state.slice(1)] : state;
    return this.returnState ? [output, state, state] : output;
  }

  override computeMask(_: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const own = this.returnSequences ? ([mask].flat()[0] ?? null) : null;
    return (this.returnState ? [own, null, null] : own) as unknown as tf.Tensor;
  }

  override call(inputs: Inputs, { training, mask, initialState }: RecurrentCall = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const [given, ...first] = [inputs].flat() as [tf.Tensor, ...tf.Tensor[]];
      const [batch, length, ...sizes] = given.shape as [number, number, ...number[]];
      const { filters, dropout = 0, recurrentDropout = 0, padding } = this.args;
      const x = dropped(given, training === true ? dropout : 0, [batch, 1, ...sizes]);
      const kernel = spread(this.#kernel!.read(), this.#each(this.args.dilationRate ?? 1));
      const all = this.#convolved(tf.reshape(x, [batch * length, ...sizes]), kernel, padding!, this.args.strides);
      const withBias = this.#bias === undefined ? all : tf.add(all, this.#bias.read());
      const steps = tf.unstack(tf.reshape(withBias, [batch, length, ...withBias.shape.slice(1)]), 1);
      const zeros = (): tf.Tensor => tf.zeros([batch, ...withBias.shape.slice(1, -1), filters]);
      const given0 = initialState ?? first;
      let [hidden, cell] = given0.length === 2 ? (given0 as [tf.Tensor, tf.Tensor]) : [zeros(), zeros()];
      let output = zeros();
      const share =
        training === true && recurrentDropout > 0 ? dropped(tf.ones(hidden.shape), recurrentDropout) : undefined;
      const isGiven = maskSteps([mask].flat()[0] ?? undefined, length);
      const order = Array.from({ length }, (_, index) => (this.goBackwards ? length - 1 - index : index));
      const outputs = order.map((index) => {
        const before = share === undefined ? hidden : tf.mul(hidden, share);
        const sums = tf.add(steps[index]!, this.#convolved(before, this.#recurrent!.read(), "same"));
        const [i, f, c, o] = tf.split(sums, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const next = tf.add(tf.mul(this.#gate(f), cell), tf.mul(this.#gate(i), this.#activate(c)));
        const answer = tf.mul(this.#gate(o), this.#activate(next));
        // A masked step repeats the output and the states before it.
        const kept = (value: tf.Tensor, old: tf.Tensor): tf.Tensor => {
          if (isGiven === undefined) return value;
          const sides = [batch, ...value.shape.slice(1).map(() => 1)];
          return tf.where(tf.broadcastTo(tf.reshape(isGiven[index]!, sides), value.shape), value, old);
        };
        [output, hidden, cell] = [kept(answer, output), kept(answer, hidden), kept(next, cell)];
        return output;
      });
      const y = this.returnSequences ? tf.stack(outputs, 1) : output;
      return this.returnState ? [y, hidden, cell] : y;
    });
  }

  override getConfig(): Config {
    const { returnSequences, returnState, goBackwards } = this;
    return { ...super.getConfig(), ...(this.args as object), returnSequences, returnState, goBackwards };
  }

  #each(value: number | readonly number[]): number[] {
    return Array.from({ length: this.rank }, (_, axis) => (typeof value === "number" ? value : value[axis]!));
  }

  #outputSizes(sizes: tfl.Shape): tfl.Shape {
    const [kernel, strides, rates] = [this.args.kernelSize, this.args.strides ?? 1, this.args.dilationRate ?? 1].map(
      (value) => this.#each(value),
    ) as [number[], number[], number[]];
    return sizes.map((size, axis) => {
      const reach = this.args.padding === "same" ? 1 : (kernel[axis]! - 1) * rates[axis]! + 1;
      return size === null ? null : Math.ceil((size - reach + 1) / strides[axis]!);
    });
  }

  #convolved(
    x: tf.Tensor,
    kernel: tf.Tensor,
    padding: "same" | "valid",
    stride: number | readonly number[] = 1,
  ): tf.Tensor {
    const [depth, rows, columns] = this.#each(stride) as [number, number, number];
    if (this.rank === 3) return tf.conv3d(x as tf.Tensor5D, kernel as tf.Tensor5D, [depth, rows, columns], padding);
    const map = tf.expandDims(x, 2) as tf.Tensor4D;
    return tf.squeeze(tf.conv2d(map, tf.expandDims(kernel, 1) as tf.Tensor4D, [depth, 1], padding), [2]);
  }
}

/** Whether each step of a sequence is given: a vector of the batch for each step. */
function maskSteps(mask: tf.Tensor | undefined, length: number): tf.Tensor[] | undefined {
  if (mask === undefined) return undefined;
  return tf.split(tf.cast(mask, "int32"), length, 1).map((step) => tf.cast(step, "bool"));
}

/** Keras' ConvLSTM1D: `[n, steps, length, c] -> [n, length', filters]`, or all steps with `returnSequences`. */
export class ConvLSTM1D extends ConvLSTM {
  static className = "ConvLSTM1D";
  readonly rank = 1;
}

/** Keras' ConvLSTM3D: `[n, steps, d, h, w, c] -> [n, d', h', w', filters]`, or all steps with `returnSequences`. */
export class ConvLSTM3D extends ConvLSTM {
  static className = "ConvLSTM3D";
  readonly rank = 3;
}
