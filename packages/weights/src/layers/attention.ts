import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";

interface MultiHeadArgs {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly valueDim?: number | null;
  readonly useBias?: boolean;
}

function shapesOf(shape: Shape): tfl.Shape[] {
  return (Array.isArray(shape[0]) ? shape : [shape]) as tfl.Shape[];
}

function baseOf({ name, trainable }: NonNullable<BaseArgs>): BaseArgs {
  return { name: name!, ...(trainable === undefined ? {} : { trainable }) };
}

/**
 * Keras' MultiHeadAttention over sequences: query, value and key (by default the value), each `[n, length, c]`;
 * `-> [n, length of the query, c of the query]`. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export class MultiHeadAttention extends tfl.layers.Layer {
  static className = "MultiHeadAttention";
  readonly args: MultiHeadArgs;
  readonly #kernels: tfl.LayerVariable[] = [];
  readonly #biases: tfl.LayerVariable[] = [];

  constructor(
    args: NonNullable<BaseArgs> & MultiHeadArgs & { readonly outputShape?: unknown; readonly attentionAxes?: unknown },
  ) {
    super(baseOf(args));
    const { numHeads, keyDim, valueDim, useBias, outputShape } = args;
    if (outputShape != null) throw new OptionError(`${args.name}: expected no output_shape, which is not known here`);
    this.args = { numHeads, keyDim, valueDim: valueDim ?? null, useBias: useBias ?? true };
  }

  override build(shape: Shape): void {
    const [query, value = query, key = value] = shapesOf(shape);
    for (const one of [query!, value!, key!])
      if (one.length !== 3) throw new OptionError(`${this.name}: expected sequences, got [${one}]`);
    const { numHeads, keyDim, valueDim } = this.args;
    const width = valueDim ?? keyDim;
    const add = (part: string, sizes: number[], bias: number[]): void => {
      this.#kernels.push(this.addWeight(`${part}/kernel`, sizes, "float32", tfl.initializers.glorotUniform({})));
      if (this.args.useBias === true)
        this.#biases.push(this.addWeight(`${part}/bias`, bias, "float32", tfl.initializers.zeros()));
    };
    add("query", [query!.at(-1)!, numHeads, keyDim], [numHeads, keyDim]);
    add("key", [key!.at(-1)!, numHeads, keyDim], [numHeads, keyDim]);
    add("value", [value!.at(-1)!, numHeads, width], [numHeads, width]);
    add("attention_output", [numHeads, width, query!.at(-1)!], [query!.at(-1)!]);
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    return shapesOf(shape)[0]!;
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const [query, value = query, key = value] = [inputs].flat() as tf.Tensor3D[];
      const { numHeads, keyDim } = this.args;
      // `[n, length, c] -> [n, heads, length, width]`
      const heads = (x: tf.Tensor3D, part: number): tf.Tensor => {
        const kernel = this.#kernels[part]!.read();
        const [batch, length, channels] = x.shape;
        const width = kernel.shape[2]!;
        const rows = tf.reshape(x, [batch * length, channels]);
        const y = tf.matMul(rows, tf.reshape(kernel, [channels, numHeads * width]));
        const parts = tf.reshape(y, [batch, length, numHeads, width]);
        const bias = this.#biases[part];
        return tf.transpose(bias === undefined ? parts : tf.add(parts, bias.read()), [0, 2, 1, 3]);
      };
      const [q, k, v] = [heads(query!, 0), heads(key!, 1), heads(value!, 2)];
      const scores = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(keyDim)));
      const mixed = tf.transpose(tf.matMul(scores, v), [0, 2, 1, 3]);
      const [batch, length, count, width] = mixed.shape as [number, number, number, number];
      const kernel = this.#kernels[3]!.read();
      const out = kernel.shape[2]!;
      const rows = tf.matMul(
        tf.reshape(mixed, [batch * length, count * width]),
        tf.reshape(kernel, [count * width, out]),
      );
      const y = tf.reshape(rows, [batch, length, out]);
      return this.#biases[3] === undefined ? y : tf.add(y, this.#biases[3].read());
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }
}

/** Keras' Attention (dot product): query, value and key (by default the value), each `[n, length, c]`. */
export class Attention extends tfl.layers.Layer {
  static className = "Attention";
  readonly useScale: boolean;
  #scale: tfl.LayerVariable | undefined;

  constructor(args: NonNullable<BaseArgs> & { readonly useScale?: boolean; readonly scoreMode?: string }) {
    super(baseOf(args));
    this.useScale = args.useScale ?? false;
    if ((args.scoreMode ?? "dot") !== "dot")
      throw new OptionError(`${args.name}: expected score_mode dot, got ${args.scoreMode}`);
  }

  override build(): void {
    if (this.useScale) this.#scale = this.addWeight("scale", [], "float32", tfl.initializers.ones());
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [query, value] = shapesOf(shape);
    return [...query!.slice(0, -1), value!.at(-1)!];
  }

  override call(inputs: Inputs): tf.Tensor {
    return tf.tidy(() => {
      const [query, value, key = value] = inputs as tf.Tensor[];
      let scores = tf.matMul(query!, key!, false, true);
      if (this.#scale !== undefined) scores = tf.mul(scores, this.#scale.read());
      return tf.matMul(tf.softmax(scores), value!);
    });
  }

  override getConfig(): Config {
    return { ...super.getConfig(), useScale: this.useScale };
  }
}
