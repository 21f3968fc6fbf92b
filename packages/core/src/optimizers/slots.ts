import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

/** How an update runs: with numbers, or recorded into a graph. */
export interface Recording {
  /** A number of the optimizer as a tensor `[]`; a recorded step is fed it at each run. */
  feed(name: string, read: () => number): tf.Scalar;
  /** Calls `ended` when the recording has ended, with true if it succeeded; at once outside of a recording. */
  onEnd(ended: (isDone: boolean) => void): void;
}

/** The method that @convkit/graph gives all optimizers while it records a function. */
type Recorded = { recordUpdate?: (update: (how: Recording) => void) => void };

const atOnce: Recording = {
  feed: (_name, read) => tf.scalar(read()),
  onEnd: (ended) => ended(true),
};

/** Runs an optimizer's update, recorded if a function is being compiled. */
export function recording(optimizer: tf.Optimizer, update: (how: Recording) => void): void {
  const { recordUpdate } = optimizer as unknown as Recorded;
  if (recordUpdate === undefined) update(atOnce);
  else recordUpdate.call(optimizer, update);
}

/** Makes a slot: a variable of the same shape, filled with a number or with given values. */
export function makeSlot(like: tf.Tensor, name: string, value: number | tf.Tensor): tf.Variable {
  return tf.tidy(() => {
    const filled = typeof value === "number" ? tf.fill(like.shape, value) : value;
    return tf.variable(filled, false, uniqueName(name));
  });
}

/** tfjs refuses a variable name that exists already, and two optimizers may train one model. */
function uniqueName(name: string): string {
  const taken = tf.engine().registeredVariables;
  let unique = name;
  for (let n = 1; taken[unique] !== undefined; n++) unique = `${name}_${n}`;
  return unique;
}

/** Values from `setWeights` for slots that do not exist yet, by name. */
export class PendingValues {
  readonly #values = new Map<string, tf.Tensor>();
  /** True until an update has found a value. */
  #isUnused = false;

  replace(values: ReadonlyMap<string, tf.Tensor>): void {
    this.dispose();
    for (const [name, value] of values) this.put(name, value.clone());
    this.#isUnused = this.#values.size > 0;
  }

  put(name: string, value: tf.Tensor): void {
    this.#values.set(name, tf.keep(value));
  }

  /** Removes and returns a value. */
  take(name: string): tf.Tensor | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value;
  }

  /** Throws if the values belong to other variables than those of the first update. */
  check(optimizer: string, variables: readonly string[]): void {
    if (!this.#isUnused || this.#values.size === 0) return;
    const names = [...this.#values.keys()];
    const owners = new Set(names.map((name) => name.slice(0, name.lastIndexOf("/"))));
    if (!variables.some((variable) => owners.has(variable)))
      throw new OptionError(
        `${optimizer}: the weights of setWeights belong to ${shown([...owners])}, but ${shown(variables)} are updated.`,
      );
    this.#isUnused = false;
  }

  dispose(): void {
    for (const value of this.#values.values()) value.dispose();
    this.#values.clear();
  }
}
