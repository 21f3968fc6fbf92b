import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { BaseArgs, Config, Inputs, Shape } from "./base-layers.ts";
import { dropped } from "./dropped.ts";
import { weightConfig, weightOptions } from "./weight-options.ts";

/** Options of every attention layer's call, which are fixed when the layer is made. */
export interface AttentionCall {
  /** The argument that each input is: `query`, `value`, `key`, `attention_mask`, … */
  readonly roles?: readonly string[];
  readonly useCausalMask?: boolean;
  readonly returnAttentionScores?: boolean;
  /** Share of the scores that training sets to zero. */
  readonly dropout?: number;
}

interface CallOptions {
  readonly training?: boolean;
  /** The mask of each input, if the model passes masks. */
  readonly masks?: readonly (tf.Tensor | null)[];
}

interface HeadArgs extends AttentionCall {
  readonly numHeads: number;
  /** Heads of the keys and values; each serves `numHeads / keyHeads` heads of the queries. */
  readonly keyHeads?: number;
  readonly keyDim: number;
  readonly valueDim?: number | null;
  readonly useBias?: boolean;
  readonly outputShape?: number | readonly number[] | null;
  readonly attentionAxes?: number | readonly number[] | null;
}

function shapesOf(shape: Shape): tfl.Shape[] {
  return (Array.isArray(shape[0]) ? shape : [shape]) as tfl.Shape[];
}

function baseOf({ name, trainable }: NonNullable<BaseArgs>): BaseArgs {
  return { name: name!, ...(trainable === undefined ? {} : { trainable }) };
}

/** Finds inputs by their role; a layer without roles takes them in the order of `otherwise`. */
function byRole<T>(
  inputs: readonly T[],
  roles: readonly string[] | undefined,
  otherwise: readonly string[],
): Map<string, T> {
  const named = roles ?? otherwise;
  return new Map(inputs.map((input, index) => [named[index] ?? `input ${index}`, input]));
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** True where position i may look at position j: j <= i. `[1, rows, columns]` */
function causalMask(rows: number, columns: number): tf.Tensor {
  const row = tf.reshape(tf.range(0, rows, 1, "int32"), [1, rows, 1]);
  return tf.greaterEqual(row, tf.reshape(tf.range(0, columns, 1, "int32"), [1, 1, columns]));
}

function both(a: tf.Tensor | undefined, b: tf.Tensor): tf.Tensor {
  const own = tf.cast(b, "bool");
  return a === undefined ? own : tf.logicalAnd(a, own);
}

/** Softmax over the last axis, with only the places where `mask` is true. */
function maskedSoftmax(scores: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  if (mask === undefined) return tf.softmax(scores);
  return tf.softmax(tf.sub(scores, tf.mul(tf.sub(1, tf.cast(mask, "float32")), 1e9)));
}

/**
 * Keras' MultiHeadAttention and GroupedQueryAttention: query, value and key (by default the value), each
 * `[n, …, c]`; `-> [n, …, c of the query]`, and the scores if they are asked for. Vaswani et al. 2017,
 * https://arxiv.org/abs/1706.03762
 */
export class MultiHeadAttention extends tfl.layers.Layer {
  static className = "MultiHeadAttention";
  readonly args: HeadArgs;
  readonly #weights = new Map<string, tfl.LayerVariable>();

  constructor(args: NonNullable<BaseArgs> & HeadArgs) {
    super(baseOf(args));
    const { numHeads, keyHeads, keyDim, valueDim, useBias, outputShape, attentionAxes } = args;
    this.args = {
      numHeads,
      ...(keyHeads === undefined ? {} : { keyHeads }),
      keyDim,
      valueDim: valueDim ?? null,
      useBias: useBias ?? true,
      outputShape: outputShape ?? null,
      attentionAxes: attentionAxes ?? null,
      dropout: args.dropout ?? 0,
      ...(args.roles === undefined ? {} : { roles: args.roles }),
      useCausalMask: args.useCausalMask ?? false,
      returnAttentionScores: args.returnAttentionScores ?? false,
      ...weightConfig(args),
    };
    if (numHeads % (keyHeads ?? numHeads) !== 0)
      throw new OptionError(
        `${args.name}: expected heads of the queries to be a multiple of ${keyHeads}, got ${numHeads}`,
      );
  }

  #given<T>(inputs: readonly T[]): { query: T; value: T; key: T; rest: Map<string, T> } {
    const rest = byRole(inputs, this.args.roles, ["query", "value", "key"]);
    const query = rest.get("query")!;
    const value = rest.get("value") ?? query;
    return { query, value, key: rest.get("key") ?? value, rest };
  }

  override build(shape: Shape): void {
    const { query, value, key } = this.#given(shapesOf(shape));
    const { numHeads, keyHeads = numHeads, keyDim, useBias } = this.args;
    const width = this.args.valueDim ?? keyDim;
    const out = [this.args.outputShape ?? query.at(-1)!].flat();
    const add = (part: string, kernel: number[], bias: number[]): void => {
      const own = weightOptions(this.args, "kernel", tfl.initializers.glorotUniform({}));
      const other = weightOptions(this.args, "bias", tfl.initializers.zeros());
      const weight = (name: string, sizes: number[], { initializer, regularizer, constraint }: typeof own): void => {
        const path = `${part}/${name}`;
        this.#weights.set(path, this.addWeight(path, sizes, "float32", initializer, regularizer, true, constraint));
      };
      weight("kernel", kernel, own);
      if (useBias === true) weight("bias", bias, other);
    };
    add("query", [query.at(-1)!, numHeads, keyDim], [numHeads, keyDim]);
    add("key", [key.at(-1)!, keyHeads, keyDim], [keyHeads, keyDim]);
    add("value", [value.at(-1)!, keyHeads, width], [keyHeads, width]);
    add("attention_output", [numHeads, width, ...out], out);
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const { query, value } = this.#given(shapesOf(shape));
    const output = [...query.slice(0, -1), ...[this.args.outputShape ?? query.at(-1)!].flat()];
    if (this.args.returnAttentionScores !== true) return output;
    const axes = this.#axes(query.length);
    const others = query.filter((_, axis) => axis > 0 && axis < query.length - 1 && !axes.includes(axis));
    const of = (sizes: tfl.Shape): tfl.Shape => axes.map((axis) => sizes[axis] ?? null);
    return [output, [query[0] ?? null, ...others, this.args.numHeads, ...of(query), ...of(value)]];
  }

  /** The axes over which positions attend: by default all between the batch and the channels. */
  #axes(rank: number): number[] {
    const { attentionAxes } = this.args;
    if (attentionAxes == null) return Array.from({ length: rank - 2 }, (_, i) => i + 1);
    return [attentionAxes].flat().map((axis) => (axis < 0 ? axis + rank : axis));
  }

  override call(inputs: Inputs, options: CallOptions = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const { query, value, key, rest } = this.#given([inputs].flat());
      const { numHeads, keyHeads = numHeads, keyDim, dropout = 0 } = this.args;
      const axes = this.#axes(query.rank);
      const others = Array.from({ length: query.rank - 2 }, (_, i) => i + 1).filter((axis) => !axes.includes(axis));
      const [q, k, v] = [
        this.#heads(query, "query", axes, others, 1),
        this.#heads(key, "key", axes, others, numHeads / keyHeads),
        this.#heads(value, "value", axes, others, numHeads / keyHeads),
      ];
      const groups = [query.shape[0]!, ...others.map((axis) => query.shape[axis]!), numHeads];
      const of = (x: tf.Tensor): number[] => axes.map((axis) => x.shape[axis]!);
      const full = [...groups, ...of(query), ...of(value)];
      const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(keyDim));
      let mask = this.#mask(query, value, this.#withPassed(rest, options.masks));
      if (mask !== undefined) {
        // As in Keras, a mask `[n, rows, columns]` holds for every head.
        while (mask.rank < full.length) mask = tf.expandDims(mask, mask.rank - 2 * axes.length);
        mask = tf.reshape(tf.broadcastTo(tf.cast(mask, "int32"), full), scores.shape);
      }
      const weights = maskedSoftmax(scores, mask);
      const mixed = tf.matMul(dropped(weights, options.training === true ? dropout : 0), v);
      const width = mixed.shape.at(-1)!;
      // `[n, others, heads, positions, width] -> [n, …, heads, width]`
      const apart = tf.reshape(mixed, [...groups, ...of(query), width]);
      const place = new Map<number, number>([[0, 0], ...others.map((axis, i): [number, number] => [axis, i + 1])]);
      for (const [i, axis] of axes.entries()) place.set(axis, groups.length + i);
      const order = Array.from({ length: query.rank - 1 }, (_, axis) => place.get(axis)!);
      const joined = tf.transpose(apart, [...order, groups.length - 1, apart.rank - 1]);
      const kernel = this.#weights.get("attention_output/kernel")!.read();
      const out = kernel.shape.slice(2);
      const rows = tf.matMul(
        tf.reshape(joined, [product(query.shape.slice(0, -1)), numHeads * width]),
        tf.reshape(kernel, [numHeads * width, product(out)]),
      );
      const y = this.#plus(tf.reshape(rows, [...query.shape.slice(0, -1), ...out]), "attention_output");
      return this.args.returnAttentionScores === true ? [y, tf.reshape(weights, full)] : y;
    });
  }

  /** `[n, …, c] -> [n, others, heads, positions, width]`, each of the others and of the positions as one axis. */
  #heads(x: tf.Tensor, part: string, axes: readonly number[], others: readonly number[], times: number): tf.Tensor {
    const kernel = this.#weights.get(`${part}/kernel`)!.read();
    const [channels, heads, width] = kernel.shape as [number, number, number];
    const outer = x.shape.slice(0, -1);
    const y = tf.matMul(tf.reshape(x, [product(outer), channels]), tf.reshape(kernel, [channels, heads * width]));
    const apart = this.#plus(tf.reshape(y, [...outer, heads, width]), part);
    const turned = tf.transpose(apart, [0, ...others, x.rank - 1, ...axes, x.rank]);
    const groups = product([x.shape[0]!, ...others.map((axis) => x.shape[axis]!)]);
    const positions = product(axes.map((axis) => x.shape[axis]!));
    const grouped = tf.reshape(turned, [groups, heads, 1, positions * width]);
    return tf.reshape(tf.tile(grouped, [1, 1, times, 1]), [groups * heads * times, positions, width]);
  }

  #plus(x: tf.Tensor, part: string): tf.Tensor {
    const bias = this.#weights.get(`${part}/bias`);
    return bias === undefined ? x : tf.add(x, bias.read());
  }

  /** The arguments of the call, and the masks that the inputs have, for those that the call does not state. */
  #withPassed(rest: ReadonlyMap<string, tf.Tensor>, masks: CallOptions["masks"] = []): ReadonlyMap<string, tf.Tensor> {
    const passed = [...rest.keys()].flatMap((role, index) => {
      const mask = masks[index] ?? null;
      return mask === null ? [] : [[`${role}_mask`, mask] as const];
    });
    return new Map([...passed, ...rest]);
  }

  #mask(query: tf.Tensor, value: tf.Tensor, rest: ReadonlyMap<string, tf.Tensor>): tf.Tensor | undefined {
    let mask: tf.Tensor | undefined;
    const given = (name: string, axis: number): void => {
      const own = rest.get(name);
      if (own !== undefined) mask = both(mask, tf.expandDims(own, axis));
    };
    given("query_mask", 2);
    given("value_mask", 1);
    given("key_mask", 1);
    if (this.args.useCausalMask === true) mask = both(mask, causalMask(query.shape[1]!, value.shape[1]!));
    const own = rest.get("attention_mask");
    return own === undefined ? mask : both(mask, own);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }
}

interface ScoreArgs extends AttentionCall {
  readonly useScale?: boolean;
  /** `dot` and `concat` are those of Keras' Attention, `add` is AdditiveAttention's. */
  readonly scoreMode?: "dot" | "concat" | "add";
}

/** Keras' Attention and AdditiveAttention: query, value and key (by default the value), each `[n, length, c]`. */
export class Attention extends tfl.layers.Layer {
  static className = "Attention";
  readonly args: ScoreArgs;
  #scale: tfl.LayerVariable | undefined;
  #concat: tfl.LayerVariable | undefined;

  constructor(args: NonNullable<BaseArgs> & ScoreArgs) {
    super(baseOf(args));
    const { useScale = false, scoreMode = "dot", roles, useCausalMask, returnAttentionScores, dropout } = args;
    if (!["dot", "concat", "add"].includes(scoreMode))
      throw new OptionError(`${args.name}: expected the score mode dot, concat or add, got ${scoreMode}`);
    this.args = {
      useScale,
      scoreMode,
      dropout: dropout ?? 0,
      ...(roles === undefined ? {} : { roles }),
      useCausalMask: useCausalMask ?? false,
      returnAttentionScores: returnAttentionScores ?? false,
    };
  }

  override build(shape: Shape): void {
    const { useScale, scoreMode } = this.args;
    const sizes = scoreMode === "add" ? [shapesOf(shape)[0]!.at(-1)!] : [];
    if (useScale === true) this.#scale = this.addWeight("scale", sizes, "float32", tfl.initializers.ones());
    if (scoreMode === "concat")
      this.#concat = this.addWeight("concat_score_weight", [], "float32", tfl.initializers.ones());
    this.built = true;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [query, value] = shapesOf(shape);
    const output = [...query!.slice(0, -1), value!.at(-1)!];
    return this.args.returnAttentionScores === true ? [output, [...query!.slice(0, -1), value!.at(-2)!]] : output;
  }

  override call(inputs: Inputs, options: CallOptions = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const all = inputs as tf.Tensor[];
      const roles = this.args.roles ?? all.map(() => "inputs");
      const [query, value, key = value] = all.filter((_, index) => roles[index] === "inputs");
      const isStated = roles.includes("mask") || roles.includes("value_mask");
      const [rows, stated] = [query!.shape[1]!, all.filter((_, index) => roles[index] === "mask")];
      const masks = isStated ? stated : (options.masks ?? []).map((mask) => mask ?? undefined);
      const ofValues = all[roles.indexOf("value_mask")] ?? masks[1];
      let mask = ofValues === undefined ? undefined : both(undefined, tf.expandDims(ofValues, 1));
      if (this.args.useCausalMask === true) mask = both(mask, causalMask(rows, value!.shape[1]!));
      const weights = maskedSoftmax(this.#scores(query!, key!), mask);
      const { dropout = 0, returnAttentionScores } = this.args;
      const mixed = tf.matMul(dropped(weights, options.training === true ? dropout : 0), value!);
      const y = masks[0] === undefined ? mixed : tf.mul(mixed, tf.expandDims(tf.cast(masks[0], "float32"), 2));
      return returnAttentionScores === true ? [y, weights] : y;
    });
  }

  #scores(query: tf.Tensor, key: tf.Tensor): tf.Tensor {
    const scale = this.#scale?.read();
    if (this.args.scoreMode === "dot") {
      const scores = tf.matMul(query, key, false, true);
      return scale === undefined ? scores : tf.mul(scores, scale);
    }
    const sums = tf.add(tf.expandDims(query, 2), tf.expandDims(key, 1));
    const scaled = (x: tf.Tensor): tf.Tensor => (scale === undefined ? x : tf.mul(x, scale));
    if (this.args.scoreMode === "add") return tf.sum(scaled(tf.tanh(sums)), -1);
    return tf.mul(tf.sum(tf.tanh(scaled(sums)), -1), this.#concat!.read());
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...(this.args as object) };
  }
}
