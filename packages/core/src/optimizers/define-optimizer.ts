import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { checkNumber } from "../layers/check-values.ts";
import { makeSlot, PendingValues, recording } from "./slots.ts";
import type { Recording } from "./slots.ts";

/** What one variable has for itself. */
export interface VariableOptions {
  /** Factor on the learning rate of this variable; 1 by default. */
  readonly rateFactor?: number | undefined;
  /** Decay of this variable; the optimizer's by default. */
  readonly weightDecay?: number | undefined;
}

/** Options that every optimizer of `defineOptimizer` has. */
export interface OptimizerOptions {
  /** Factor on each update; by default as the optimizer is defined. */
  readonly learningRate?: number | undefined;
  /**
   * Decoupled decay (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101): each step first shrinks the weight by this
   * part of the learning rate, as Keras' `weight_decay` does; 0 by default.
   */
  readonly weightDecay?: number | undefined;
  /** Own numbers of some variables; by default all variables are treated alike. */
  readonly perVariable?: ((variable: tf.Variable) => VariableOptions) | undefined;
}

const commonNames: OptionNames<OptimizerOptions> = { learningRate: true, weightDecay: true, perVariable: true };

/** What the update of one variable may use. */
export interface UpdateState<Slot extends string = string, Shared extends string = string> {
  /** The weight, after its decay. */
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** The learning rate of this variable, `[]`. A compiled step is fed it at each run. */
  readonly rate: tf.Scalar;
  /** The number of this step, from 1, `[]`. */
  readonly step: tf.Scalar;
  /** The variable's slots before the update. */
  readonly slots: Readonly<Record<Slot, tf.Tensor>>;
  /** The numbers that all variables share, already those of this step. */
  readonly shared: Readonly<Record<Shared, tf.Scalar>>;
}

/** How an optimizer updates a variable. `Options` are its own options with their defaults. */
export interface OptimizerDefinition<Options extends object, Slot extends string, Shared extends string = never> {
  /** The options with their defaults, `learningRate` among them. */
  readonly options: Options & {
    readonly learningRate: number;
    /** Decoupled decay; 0 by default. */
    readonly weightDecay?: number | undefined;
  };
  /** The slots of a variable: tensors of its shape that last between steps, filled with a number. None by default. */
  readonly slots?:
    | Readonly<Record<Slot, number>>
    | ((variable: tf.Variable, options: NoInfer<Options>) => Readonly<Partial<Record<Slot, number>>>)
    | undefined;
  /** Numbers that last between steps and belong to no variable, with their first values; none by default. */
  readonly shared?: Readonly<Record<Shared, number>> | undefined;
  /** The shared numbers of step `step`, computed once before the variables' updates; unchanged by default. */
  readonly advance?:
    | ((shared: Readonly<Record<Shared, tf.Scalar>>, step: tf.Scalar, options: Options) => Record<Shared, tf.Tensor>)
    | undefined;
  /** The new weight, and the new slots under their names. */
  readonly update: (
    state: UpdateState<Slot, Shared>,
    options: Options,
  ) => { readonly weight: tf.Tensor } & Readonly<Partial<Record<Slot, tf.Tensor>>>;
}

type AnyDefinition = OptimizerDefinition<Record<string, unknown>, string, string>;
type Gradients = tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[];

/** A tfjs optimizer whose update is a function of tensors; `defineOptimizer` makes such optimizers. */
export class DefinedOptimizer extends tf.Optimizer {
  static readonly className: string = "DefinedOptimizer";
  /** The factor on each update. A compiled function reads it at every run, so a schedule may set it between runs. */
  learningRate: number;
  readonly #name: string;
  readonly #definition: AnyDefinition;
  readonly #options: Record<string, unknown>;
  readonly #weightDecay: number;
  readonly #perVariable: (variable: tf.Variable) => VariableOptions;
  readonly #iteration: tf.Variable;
  readonly #shared: ReadonlyMap<string, tf.Variable>;
  readonly #slots = new Map<tf.Variable, ReadonlyMap<string, tf.Variable>>();
  readonly #pending = new PendingValues();

  constructor(name: string, definition: AnyDefinition, given: OptimizerOptions & Record<string, unknown>) {
    super();
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const { learningRate, weightDecay = 0, perVariable = () => ({}), ...own } = { ...definition.options, ...set };
    checkNumber(name, "learningRate", learningRate, 0);
    checkNumber(name, "weightDecay", weightDecay, 0);
    this.learningRate = learningRate as number;
    this.#name = name;
    this.#definition = definition;
    this.#options = own;
    this.#weightDecay = weightDecay as number;
    this.#perVariable = perVariable as (variable: tf.Variable) => VariableOptions;
    const number = (value: number) => tf.tidy(() => tf.variable(tf.scalar(value), false));
    this.#iteration = number(0);
    this.#shared = new Map(Object.entries(definition.shared ?? {}).map(([key, value]) => [key, number(value)]));
  }

  override applyGradients(gradients: Gradients): void {
    recording(this, (how) => tf.tidy(() => this.#update(gradients, how)));
  }

  #update(gradients: Gradients, how: Recording): void {
    const variables = tf.engine().registeredVariables;
    const entries = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(gradients);
    const present = entries.filter(([, gradient]) => gradient !== null && gradient !== undefined);
    this.#pending.check(
      this.#name,
      present.map(([name]) => name),
    );
    const base = how.feed("learningRate", () => this.learningRate);
    const rates = new Map<number, tf.Scalar>([[1, base]]);
    const step = tf.add(this.#iteration, 1) as tf.Scalar;
    const shared = this.#advance(step);
    for (const [name, gradient] of present) {
      const variable = variables[name] as tf.Variable;
      const { rateFactor = 1, weightDecay = this.#weightDecay } = this.#perVariable(variable);
      const rate = rates.get(rateFactor) ?? (tf.mul(base, rateFactor) as tf.Scalar);
      rates.set(rateFactor, rate);
      const weight = weightDecay === 0 ? variable : tf.sub(variable, tf.mul(variable, tf.mul(rate, weightDecay)));
      const slots = this.#slotsOf(variable, how);
      const state = { weight, gradient, rate, step, slots: Object.fromEntries(slots), shared };
      const { weight: next, ...rest } = this.#definition.update(state, this.#options);
      for (const [slot, own] of slots) {
        const value = (rest as Record<string, tf.Tensor | undefined>)[slot];
        if (value !== undefined) own.assign(value);
      }
      variable.assign(next);
    }
    this.#iteration.assign(step);
  }

  /** The shared numbers of this step. */
  #advance(step: tf.Scalar): Record<string, tf.Scalar> {
    const before = Object.fromEntries(this.#shared) as unknown as Record<string, tf.Scalar>;
    const { advance } = this.#definition;
    if (advance === undefined) return before;
    const next = advance(before, step, this.#options) as Record<string, tf.Scalar>;
    for (const [name, variable] of this.#shared) if (next[name] !== undefined) variable.assign(next[name]);
    return { ...before, ...next };
  }

  /** The step count, the shared numbers, and every slot under its variable's name. */
  override async getWeights(): Promise<{ name: string; tensor: tf.Tensor }[]> {
    const slots = [...this.#slots].flatMap(([{ name }, own]) =>
      [...own].map(([slot, tensor]) => ({ name: `${name}/${slot}`, tensor })),
    );
    return [...this.#numbers(), ...slots];
  }

  /** Restores the result of `getWeights`, by name. Values of variables that were not updated yet wait for their first update. */
  override async setWeights(weights: { name: string; tensor: tf.Tensor }[]): Promise<void> {
    const given = new Map(weights.map(({ name, tensor }) => [name, tensor]));
    const missing = this.#numbers().filter(({ name }) => !given.has(name));
    if (missing.length > 0)
      throw new OptionError(
        `${this.#name}.setWeights: expected the weights of a ${this.#name}, got none named ${missing.map(({ name }) => name).join(", ")}.`,
      );
    tf.tidy(() => {
      for (const { name, tensor } of this.#numbers()) {
        tensor.assign(tf.cast(tf.reshape(given.get(name)!, []), "float32"));
        given.delete(name);
      }
      for (const [{ name }, slots] of this.#slots)
        for (const [slot, own] of slots) {
          const value = given.get(`${name}/${slot}`);
          if (value !== undefined) own.assign(value);
          given.delete(`${name}/${slot}`);
        }
    });
    this.#pending.replace(given);
  }

  override dispose(): void {
    tf.dispose([this.#iteration, ...this.#shared.values()]);
    for (const slots of this.#slots.values()) tf.dispose([...slots.values()]);
    this.#slots.clear();
    this.#pending.dispose();
  }

  override getClassName(): string {
    return this.#name;
  }

  getConfig(): tf.serialization.ConfigDict {
    const own = this.#options as tf.serialization.ConfigDict;
    return { ...own, learningRate: this.learningRate, weightDecay: this.#weightDecay };
  }

  #numbers(): { name: string; tensor: tf.Variable }[] {
    return [
      { name: "iter", tensor: this.#iteration },
      ...[...this.#shared].map(([name, tensor]) => ({ name: `shared-${name}`, tensor })),
    ];
  }

  #slotsOf(variable: tf.Variable, how: Recording): ReadonlyMap<string, tf.Variable> {
    const known = this.#slots.get(variable);
    if (known !== undefined) return known;
    const { slots = {} } = this.#definition;
    const starts = typeof slots === "function" ? slots(variable, this.#options) : slots;
    const taken: [string, tf.Tensor][] = [];
    const made = new Map<string, tf.Variable>();
    for (const [slot, start] of Object.entries(starts as Record<string, number>)) {
      const name = `${variable.name}/${slot}`;
      const saved = this.#pending.take(name);
      if (saved !== undefined) {
        taken.push([name, saved]);
        tf.util.assertShapesMatch(saved.shape, variable.shape, `The slot ${slot} of ${this.#name}: `);
      }
      made.set(slot, makeSlot(variable, name, saved ?? start));
    }
    this.#slots.set(variable, made);
    how.onEnd((isDone) => {
      if (isDone) return tf.dispose(taken.map(([, value]) => value));
      // A failed trace has disposed the variables that it made.
      this.#slots.delete(variable);
      for (const [name, value] of taken) this.#pending.put(name, value);
    });
    return made;
  }
}

/**
 * An optimizer of your own from a function of tensors. It runs eagerly and in compiled steps, takes a schedule, and its slots are
 * saved in checkpoints:
 *
 *     const signed = defineOptimizer("Signed", {
 *       options: { learningRate: 0.001, beta: 0.9 },
 *       slots: { mean: 0 },
 *       update: ({ weight, gradient, rate, slots }, { beta }) => {
 *         const mean = tf.add(tf.mul(slots.mean, beta), tf.mul(gradient, 1 - beta));
 *         return { weight: tf.sub(weight, tf.mul(tf.sign(mean), rate)), mean };
 *       },
 *     });
 *     const optimizer = signed({ learningRate: 0.01 });
 *
 * Throws an `OptionError` for a name that is no identifier and for a definition without an update.
 */
export function defineOptimizer<
  Options extends object = Record<never, never>,
  Slot extends string = never,
  Shared extends string = never,
>(
  name: string,
  definition: OptimizerDefinition<Options, Slot, Shared>,
): (options?: OptimizerOptions & { readonly [Key in keyof Options]?: Options[Key] | undefined }) => DefinedOptimizer {
  if (typeof name !== "string" || !/^\p{L}[\p{L}\p{N}_]*$/u.test(name))
    throw new OptionError(`defineOptimizer: expected a name such as "Signed", got ${shown(name)}.`);
  if (typeof definition?.update !== "function")
    throw new OptionError(
      `defineOptimizer ${name}: expected { update: (state, options) => … }, a function of tensors, got ${shown(definition?.update)}.`,
    );
  if (typeof definition.options?.learningRate !== "number")
    throw new OptionError(
      `defineOptimizer ${name}: expected options with a learningRate, got ${shown(definition.options)}.`,
    );
  const own = Object.fromEntries(Object.keys(definition.options).map((key) => [key, true as const]));
  const names = { ...commonNames, ...own } as OptionNames<object>;
  return (options = {}) => {
    checkOptions(name, options as object, names);
    return new DefinedOptimizer(
      name,
      definition as unknown as AnyDefinition,
      options as OptimizerOptions & Record<string, unknown>,
    );
  };
}
