import { checkOptions, type OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { Hyper } from "../hyper.ts";
import { activeTrace } from "../trace/active-trace.ts";
import { clipGradients, clippingNames, limitsOf } from "./clipping.ts";
import type { Clipping } from "./clipping.ts";
import { makeSlot } from "../trace/fused-updates.ts";
import { adamRule, rmspropRule, sgdRule } from "./update-rules.ts";
import type { AdamNumbers, UpdateRule } from "./update-rules.ts";

/** Saved values for the slots of a variable; `name` is the variable's name at the time of saving. */
interface PendingSlots {
  readonly name: string;
  readonly values: tf.Tensor[];
}

/** What one variable has for itself. */
export interface VariableOptions {
  /** Factor on the learning rate of this variable; 1 by default. */
  readonly rateFactor?: number | undefined;
  /** Decay of this variable, in Adam and AdamW; the optimizer's by default. */
  readonly weightDecay?: number | undefined;
}

/** Options that all optimizers have, besides their limits of gradients. */
export interface PerVariable {
  /** Own numbers of some variables; by default all variables are treated alike. */
  readonly perVariable?: ((variable: tf.Variable) => VariableOptions) | undefined;
}

const sharedNames: OptionNames<Clipping & PerVariable> = { ...clippingNames, perVariable: true };

/** A tfjs optimizer (`minimize`, `applyGradients`, `model.compile({ optimizer })`) that runs by fused ops when compiled. */
export class RuleOptimizer extends tf.Optimizer {
  static className = "RuleOptimizer";
  readonly kind: string;
  readonly #rule: UpdateRule;
  readonly #rate: Hyper;
  readonly #momentum: Hyper | undefined;
  readonly #clipping: Clipping;
  readonly #perVariable: (variable: tf.Variable) => VariableOptions;
  readonly #config: tf.serialization.ConfigDict;
  readonly #iteration: tf.Variable;
  readonly #slots = new Map<tf.Variable, tf.Variable[]>();
  /** Slots from `setWeights` for variables that were not updated yet, under the variable's name in `setWeights`. */
  #pending: PendingSlots[] = [];

  constructor(
    kind: string,
    rule: UpdateRule,
    hypers: { rate: Hyper; momentum?: Hyper },
    { perVariable = () => ({}), ...clipping }: Clipping & PerVariable,
    config: tf.serialization.ConfigDict,
  ) {
    super();
    this.kind = kind;
    this.#rule = rule;
    this.#rate = hypers.rate;
    this.#momentum = hypers.momentum;
    this.#clipping = clipping;
    this.#perVariable = perVariable;
    this.#config = config;
    this.#iteration = tf.tidy(() => tf.variable(tf.scalar(0), false));
  }

  /** The learning rate. A compiled function reads it at every run, so a schedule may set it between runs. */
  get learningRate(): number {
    return this.#rate.value;
  }

  set learningRate(value: number) {
    this.#rate.value = value;
  }

  /** The momentum of SGD and RMSprop; a compiled function reads it at every run. */
  get momentum(): number {
    return this.#momentum?.value ?? 0;
  }

  set momentum(value: number) {
    if (this.#momentum === undefined || (this.#momentum.value === 0) !== (value === 0))
      throw new GraphError(
        `This ${this.kind} was made ${this.momentum === 0 ? "without" : "with"} momentum; make another.`,
      );
    this.#momentum.value = value;
  }

  override applyGradients(gradients: tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[]): void {
    const trace = activeTrace();
    if (trace === undefined) this.#update(gradients);
    else trace.inUpdate(() => this.#update(gradients));
  }

  #update(gradients: tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[]): void {
    tf.tidy(() => {
      const entries = Array.isArray(gradients)
        ? gradients.map(({ name, tensor }) => [name, tensor] as const)
        : Object.entries(gradients);
      const present = entries.filter(([, gradient]) => gradient !== null && gradient !== undefined);
      const clipped = clipGradients(
        present.map(([, gradient]) => gradient),
        this.#clipping,
      );
      const registered = tf.engine().registeredVariables;
      // Slots that were saved for another model have other names: they are assigned by order.
      const isNamed = present.some(([name]) => this.#pending.some((slots) => slots.name === name));
      const steps = present.map(([name], index) => {
        const variable = registered[name] as tf.Variable;
        const { rateFactor = 1, weightDecay } = this.#perVariable(variable);
        const slots = this.#slotsOf(variable, isNamed);
        return { variable, gradient: clipped[index] as tf.Tensor, slots, rateFactor, weightDecay };
      });
      const trace = activeTrace();
      if (trace?.fusesUpdates !== true) this.#rule.plain(steps, this.#iteration);
      else this.#rule.fused(trace, steps, this.#iteration);
      this.#iteration.assign(tf.add(this.#iteration, 1));
    });
  }

  /** The step count, then for each kind of slot one tensor per variable. */
  override async getWeights(): Promise<{ name: string; tensor: tf.Tensor }[]> {
    const all = [...this.#slots];
    return [
      { name: "iter", tensor: this.#iteration },
      ...this.#rule.slots.flatMap((slot, index) =>
        all.map(([variable, slots]) => ({ name: `${variable.name}/${slot}`, tensor: slots[index] as tf.Variable })),
      ),
    ];
  }

  /**
   * Restores the result of `getWeights`. Before the first step the slots are stored until their variables are known. Slots are
   * matched to variables by name, or by order if no name fits.
   */
  override async setWeights(weights: { name: string; tensor: tf.Tensor }[]): Promise<void> {
    const [iteration, ...rest] = weights;
    const kinds = this.#rule.slots.length;
    if (iteration === undefined || (kinds === 0 ? rest.length > 0 : rest.length % kinds !== 0))
      throw new GraphError(
        `A ${this.kind} has a step count and ${kinds} slots a variable, and ${weights.length} weights came.`,
      );
    tf.tidy(() => this.#iteration.assign(tf.cast(tf.reshape(iteration.tensor, []), "float32")));
    const count = kinds === 0 ? 0 : rest.length / kinds;
    this.#dropPending();
    const suffix = `/${this.#rule.slots[0] ?? ""}`;
    this.#pending = Array.from({ length: count }, (_, variable) => ({
      name: (rest[variable]?.name ?? "").slice(0, -suffix.length),
      values: Array.from({ length: kinds }, (__, slot) =>
        tf.keep((rest[slot * count + variable] as { tensor: tf.Tensor }).tensor.clone()),
      ),
    }));
    const isNamed = [...this.#slots.keys()].some(({ name }) => this.#pending.some((slots) => slots.name === name));
    for (const [variable, slots] of this.#slots) {
      const values = this.#takePending(variable, isNamed);
      values.forEach((value, index) => slots[index]?.assign(value));
      tf.dispose(values);
    }
  }

  override dispose(): void {
    this.#iteration.dispose();
    tf.dispose([...this.#slots.values()]);
    this.#dropPending();
    this.#slots.clear();
  }

  override getClassName(): string {
    return this.kind;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { ...this.#config, learningRate: this.learningRate };
  }

  #slotsOf(variable: tf.Variable, isNamed: boolean): tf.Variable[] {
    const known = this.#slots.get(variable);
    if (known !== undefined) return known;
    const values = this.#takePending(variable, isNamed);
    for (const { shape } of values)
      tf.util.assertShapesMatch(shape, variable.shape, `A slot of ${this.kind} for ${variable.name}: `);
    // Slots are created with their values: an assignment inside a trace would repeat at every run.
    const slots = this.#rule.slots.map((slot, index) => makeSlot(variable, `${variable.name}/${slot}`, values[index]));
    this.#slots.set(variable, slots);
    const ended = (isDone: boolean) => {
      if (isDone) return tf.dispose(values);
      // A failed trace has disposed its variables.
      this.#slots.delete(variable);
      if (values.length > 0) this.#pending.unshift({ name: variable.name, values });
    };
    const trace = activeTrace();
    if (trace === undefined) ended(true);
    else trace.ended.push(ended);
    return slots;
  }

  /** Removes and returns the stored slots of a variable; an empty array if there are none. */
  #takePending(variable: tf.Variable, isNamed: boolean): tf.Tensor[] {
    const place = isNamed ? this.#pending.findIndex(({ name }) => name === variable.name) : 0;
    return place === -1 ? [] : (this.#pending.splice(place, 1)[0]?.values ?? []);
  }

  #dropPending(): void {
    for (const { values } of this.#pending) tf.dispose(values);
    this.#pending = [];
  }
}

/** Options of SGD. */
export interface SgdOptions extends Clipping, PerVariable {
  /** Factor on the gradient; 0.01 by default. */
  readonly learningRate?: number | undefined;
  /** Share of the velocity that a step keeps; 0 by default. */
  readonly momentum?: number | undefined;
  /** Nesterov's momentum; false by default. */
  readonly nesterov?: boolean | undefined;
}

const sgdNames: OptionNames<SgdOptions> = { learningRate: true, momentum: true, nesterov: true, ...sharedNames };

function check<T extends object>(where: string, options: T, names: OptionNames<T>): void {
  checkOptions(where, options, names, (message) => new GraphError(message));
}

/** Stochastic gradient descent, with Keras' momentum and Nesterov's (Sutskever et al. 2013). */
export function sgd(options: SgdOptions = {}): RuleOptimizer {
  check("sgd", options, sgdNames);
  const { learningRate = 0.01, momentum = 0, nesterov = false, ...clipping } = options;
  const hypers = { rate: new Hyper(learningRate, "learningRate"), momentum: new Hyper(momentum, "momentum") };
  const rule = sgdRule(hypers.rate, { momentum: hypers.momentum, nesterov });
  return new RuleOptimizer("SGD", rule, hypers, clipping, { momentum, nesterov, ...limitsOf(clipping) });
}

/** Options of Adam. */
export interface AdamOptions extends Clipping, PerVariable {
  /** Factor on each update; 0.001 by default. */
  readonly learningRate?: number | undefined;
  /** Decay of the mean of gradients; 0.9 by default. */
  readonly beta1?: number | undefined;
  /** Decay of the mean of squared gradients; 0.999 by default. */
  readonly beta2?: number | undefined;
  /** Added to the denominator; 1e-7 by default. */
  readonly epsilon?: number | undefined;
  /**
   * Divides by the largest mean of squared gradients so far (Reddi et al. 2018, https://arxiv.org/abs/1904.09237); false by default.
   */
  readonly amsgrad?: boolean | undefined;
}

const adamNames: OptionNames<AdamOptions> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  amsgrad: true,
  ...sharedNames,
};

/** Adam with Keras' defaults. */
export function adam(options: AdamOptions = {}): RuleOptimizer {
  check("adam", options, adamNames);
  return makeAdam("Adam", options, {});
}

/** Options of AdamW. */
export interface AdamWOptions extends AdamOptions {
  /** Decay per step, as a multiple of the learning rate; 0.004 by default. */
  readonly weightDecay?: number | undefined;
  /** Which variables decay; all by default. */
  readonly decays?: ((variable: tf.Variable) => boolean) | undefined;
}

const adamwNames: OptionNames<AdamWOptions> = { ...adamNames, weightDecay: true, decays: true };

/** Adam with decoupled weight decay of the variables that `decays` picks. */
export function adamw(options: AdamWOptions = {}): RuleOptimizer {
  check("adamw", options, adamwNames);
  const { weightDecay = 0.004, decays = () => true, ...rest } = options;
  return makeAdam("AdamW", rest, { weightDecay: new Hyper(weightDecay, "weightDecay"), decays });
}

function makeAdam(
  kind: string,
  { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = false, ...clipping }: AdamOptions,
  { weightDecay, decays = () => false }: Partial<Pick<AdamNumbers, "weightDecay" | "decays">>,
): RuleOptimizer {
  const rate = new Hyper(learningRate, "learningRate");
  const rule = adamRule(rate, {
    beta1,
    beta2,
    epsilon,
    amsgrad,
    decays,
    ...(weightDecay !== undefined && { weightDecay }),
  });
  const config = {
    beta1,
    beta2,
    epsilon,
    amsgrad,
    ...(weightDecay !== undefined && { weightDecay: weightDecay.value }),
  };
  return new RuleOptimizer(kind, rule, { rate }, clipping, { ...config, ...limitsOf(clipping) });
}

/** Options of RMSprop. */
export interface RmsPropOptions extends Clipping, PerVariable {
  /** Factor on each update; 0.001 by default. */
  readonly learningRate?: number | undefined;
  /** Decay of the mean of squared gradients; 0.9 by default. */
  readonly rho?: number | undefined;
  /** Share of the velocity that a step keeps; 0 by default. */
  readonly momentum?: number | undefined;
  /** Added to the mean of squared gradients; 1e-7 by default. */
  readonly epsilon?: number | undefined;
  /** Divides by the deviation of the gradient instead of its root mean square; false by default. */
  readonly centered?: boolean | undefined;
}

const rmspropNames: OptionNames<RmsPropOptions> = {
  learningRate: true,
  rho: true,
  momentum: true,
  epsilon: true,
  centered: true,
  ...sharedNames,
};

/** RMSprop with Keras' defaults: epsilon 1e-7 under the root, and momentum over the scaled gradient. */
export function rmsprop(options: RmsPropOptions = {}): RuleOptimizer {
  check("rmsprop", options, rmspropNames);
  const { learningRate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false, ...clipping } = options;
  const hypers = { rate: new Hyper(learningRate, "learningRate"), momentum: new Hyper(momentum, "momentum") };
  const rule = rmspropRule(hypers.rate, { rho, momentum: hypers.momentum, epsilon, centered });
  return new RuleOptimizer("RMSprop", rule, hypers, clipping, {
    rho,
    momentum,
    epsilon,
    centered,
    ...limitsOf(clipping),
  });
}
