import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { checkShare, checkWhole } from "../layers/check-values.ts";
import { makeSlot, PendingValues, recording } from "./slots.ts";
import type { Recording } from "./slots.ts";

/** Options of `lookahead`. */
export interface LookaheadOptions {
  /** Steps of the inner optimizer between two steps of the slow weights; 6 by default. */
  readonly every?: number | undefined;
  /** How far the slow weights move towards the weights, from 0 to 1; 0.5 by default. */
  readonly share?: number | undefined;
}

const optionNames: OptionNames<LookaheadOptions> = { every: true, share: true };

type Gradients = tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[];
type Inner = tf.Optimizer & { learningRate: number };

/** Moves slow weights towards the weights every few steps of an inner optimizer. */
class Lookahead extends tf.Optimizer {
  static readonly className: string = "Lookahead";
  readonly #inner: Inner;
  readonly #every: number;
  readonly #share: number;
  readonly #steps = tf.tidy(() => tf.variable(tf.scalar(0), false));
  readonly #slow = new Map<tf.Variable, tf.Variable>();
  readonly #pending = new PendingValues();

  constructor(inner: Inner, every: number, share: number) {
    super();
    this.#inner = inner;
    this.#every = every;
    this.#share = share;
  }

  get learningRate(): number {
    return this.#inner.learningRate;
  }

  set learningRate(value: number) {
    this.#inner.learningRate = value;
  }

  override applyGradients(gradients: Gradients): void {
    recording(this, (how) =>
      tf.tidy(() => {
        const variables = this.#variablesOf(gradients);
        this.#pending.check(
          "Lookahead",
          variables.map(({ name }) => name),
        );
        // Made before the first update: the slow weights start where the weights start.
        const pairs = variables.map((variable) => [variable, this.#slowOf(variable, how)] as const);
        this.#inner.applyGradients(gradients);
        this.#move(pairs);
      }),
    );
  }

  #move(pairs: readonly (readonly [tf.Variable, tf.Variable])[]): void {
    const steps = tf.add<tf.Scalar>(this.#steps, 1);
    // Compared by a difference: the remainder of whole numbers up to 2^24 is exact in float32.
    const isTime = tf.less(tf.mod(steps, this.#every), 0.5);
    for (const [variable, slow] of pairs) {
      const next: tf.Tensor = tf.where(isTime, tf.add(slow, tf.mul(tf.sub(variable, slow), this.#share)), slow);
      variable.assign(tf.where(isTime, next, variable));
      slow.assign(next);
    }
    this.#steps.assign(steps);
  }

  #variablesOf(gradients: Gradients): tf.Variable[] {
    const entries = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(gradients);
    const known = tf.engine().registeredVariables;
    return entries.flatMap(([name, gradient]) => (gradient == null ? [] : [known[name] as tf.Variable]));
  }

  #slowOf(variable: tf.Variable, how: Recording): tf.Variable {
    const known = this.#slow.get(variable);
    if (known !== undefined) return known;
    const name = `${variable.name}/slow`;
    const saved = this.#pending.take(name);
    // Times 1: two variables that share their data would be one in a compiled function.
    const slow = makeSlot(variable, name, saved ?? tf.mul(variable, 1));
    this.#slow.set(variable, slow);
    how.onEnd((isDone) => {
      if (isDone) return void saved?.dispose();
      this.#slow.delete(variable);
      if (saved !== undefined) this.#pending.put(name, saved);
    });
    return slow;
  }

  /** The inner optimizer's weights, the slow weights and the number of steps. */
  override async getWeights(): Promise<{ name: string; tensor: tf.Tensor }[]> {
    const slow = [...this.#slow].map(([{ name }, tensor]) => ({ name: `${name}/slow`, tensor }));
    return [...(await this.#inner.getWeights()), { name: "lookahead-steps", tensor: this.#steps }, ...slow];
  }

  override async setWeights(weights: { name: string; tensor: tf.Tensor }[]): Promise<void> {
    const steps = weights.find(({ name }) => name === "lookahead-steps");
    if (steps === undefined)
      throw new OptionError("lookahead.setWeights: expected the weights of a lookahead, got none of its steps.");
    const isOwn = (name: string) => name === "lookahead-steps" || name.endsWith("/slow");
    await this.#inner.setWeights(weights.filter(({ name }) => !isOwn(name)));
    const given = new Map(weights.flatMap(({ name, tensor }) => (name.endsWith("/slow") ? [[name, tensor]] : [])));
    tf.tidy(() => this.#steps.assign(tf.cast(tf.reshape(steps.tensor, []), "float32")));
    for (const [{ name }, slow] of this.#slow) {
      const value = given.get(`${name}/slow`);
      if (value !== undefined) slow.assign(value);
      given.delete(`${name}/slow`);
    }
    this.#pending.replace(given);
  }

  override dispose(): void {
    this.#inner.dispose();
    tf.dispose([this.#steps, ...this.#slow.values()]);
    this.#slow.clear();
    this.#pending.dispose();
  }

  override getClassName(): string {
    return "Lookahead";
  }

  getConfig(): tf.serialization.ConfigDict {
    return { every: this.#every, share: this.#share, learningRate: this.learningRate };
  }
}

/**
 * Lookahead around any optimizer: after every `every` steps, slow weights move by `share` towards the weights, and the weights
 * continue from there (Zhang et al. 2019, https://arxiv.org/abs/1907.08610). The slow weights start as the weights.
 * Throws an `OptionError` for options out of range.
 */
export function lookahead(optimizer: Inner, options: LookaheadOptions = {}): tf.Optimizer & { learningRate: number } {
  checkOptions("lookahead", options, optionNames);
  const { every = 6, share = 0.5 } = options;
  checkWhole("lookahead", "every", every, 1);
  checkShare("lookahead", "share", share);
  if (!(optimizer instanceof tf.Optimizer))
    throw new OptionError(`lookahead: expected an optimizer such as lion(), got ${shown(optimizer)}.`);
  return new Lookahead(optimizer, every, share);
}
