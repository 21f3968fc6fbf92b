import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracePatch } from "./trace-patch.ts";

/** How an optimizer that knows of recording writes its update; @convkit/core's optimizers take it. */
interface Recording {
  feed(name: string, read: () => number): tf.Scalar;
  onEnd(ended: (isDone: boolean) => void): void;
}

type OwnOptimizer = tf.Optimizer & { iterations_?: number };

/** Optimizers that have recorded an update themselves, by trace. */
const recordedByThemselves = new WeakMap<Trace, WeakSet<object>>();

/**
 * What: optimizers have a method that records an update: it feeds the optimizer's numbers at each run, takes variables made
 * within for slots, and tells how the trace ends.
 * Why: @convkit/core's optimizers run on every backend and know no graph.
 * Undone: when the trace ends.
 */
export const recordUpdatePatch: TracePatch = {
  targets: ["tf.Optimizer.prototype.recordUpdate"],
  apply(patches, trace) {
    const recorded = new WeakSet<object>();
    const keys = new WeakMap<object, Map<string, object>>();
    recordedByThemselves.set(trace, recorded);
    const keyOf = (optimizer: object, name: string) => {
      const own = keys.get(optimizer) ?? new Map<string, object>();
      keys.set(optimizer, own);
      const key = own.get(name) ?? {};
      own.set(name, key);
      return key;
    };
    patches.wrap(
      tf.Optimizer.prototype as unknown as { recordUpdate: unknown },
      "recordUpdate",
      () =>
        function (this: tf.Optimizer, update: (how: Recording) => void) {
          recorded.add(this);
          const how: Recording = {
            feed: (name, read) => trace.tensor(trace.numbers.feed(keyOf(this, name), name, read)) as tf.Scalar,
            onEnd: (ended) => void trace.ended.push(ended),
          };
          trace.inUpdate(() => update(how));
        },
    );
  },
};

/**
 * What: variables that an optimizer of the user's makes in its update are slots; numbers of the optimizer that change after the
 * trace make it outdated; numbers that change within are refused.
 * Why: what such an optimizer computes in JavaScript is a constant of the graph.
 * Undone: when the trace ends.
 */
export const ownOptimizerPatch: TracePatch = {
  targets: ["tf.Optimizer.prototype.computeGradients"],
  apply(patches, trace) {
    const wrapped = new WeakSet<object>();
    patches.wrap(
      tf.Optimizer.prototype as { computeGradients: unknown },
      "computeGradients",
      (compute) =>
        function (this: OwnOptimizer, ...args: unknown[]) {
          if (!wrapped.has(this) && !isOfTfjs(this)) {
            wrapped.add(this);
            patches.wrap(
              this as { applyGradients: unknown },
              "applyGradients",
              (apply) => (gradients: unknown) => applyOnce(trace, this, () => apply.call(this, gradients)),
            );
          }
          return compute.apply(this, args);
        },
    );
  },
};

/** True if one of tfjs' own classes applies the gradients: these have a patch of their own. */
function isOfTfjs(optimizer: tf.Optimizer): boolean {
  const { SGDOptimizer, MomentumOptimizer, AdamOptimizer, AdamaxOptimizer } = tf;
  const { AdagradOptimizer, AdadeltaOptimizer, RMSPropOptimizer } = tf;
  const known = [SGDOptimizer, MomentumOptimizer, AdamOptimizer, AdamaxOptimizer];
  return [...known, AdagradOptimizer, AdadeltaOptimizer, RMSPropOptimizer].some(
    ({ prototype }) => prototype.applyGradients === optimizer.applyGradients,
  );
}

function applyOnce(trace: Trace, optimizer: OwnOptimizer, apply: () => unknown): void {
  const before = numbersOf(optimizer);
  const undo = countedAside(optimizer, trace);
  try {
    trace.inUpdate(apply);
  } finally {
    undo();
  }
  if (recordedByThemselves.get(trace)?.has(optimizer) === true) return;
  const after = numbersOf(optimizer);
  const moved = changed(before, after);
  if (moved.length > 0)
    throw new GraphError(
      `${optimizer.getClassName()} counts in JavaScript (${moved.join(", ")}), which a compiled step would do once for all steps: keep the number in a tf.Variable, or make the optimizer with defineOptimizer of @convkit/core.`,
    );
  trace.outdated.push(() => changed(after, numbersOf(optimizer)).length > 0);
}

/** The optimizer's own numbers, flags and texts, without tfjs' count of its steps. */
function numbersOf(optimizer: OwnOptimizer): Map<string, unknown> {
  const entries = Object.entries(optimizer) as [string, unknown][];
  return new Map(
    entries.filter(([name, value]) => name !== "iterations_" && ["number", "boolean", "string"].includes(typeof value)),
  );
}

function changed(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !Object.is(before.get(name), after.get(name)),
  );
}

/**
 * While an update is recorded, `iterations` cannot be read, since its value would be that of the first step for all steps. The
 * count goes on at each run. Returns what undoes this.
 */
function countedAside(optimizer: OwnOptimizer, trace: Trace): () => void {
  const own = optimizer as unknown as { iterations: unknown; incrementIterations: unknown };
  let isCounted = false;
  Object.defineProperty(own, "incrementIterations", { configurable: true, value: () => void (isCounted = true) });
  Object.defineProperty(own, "iterations", {
    configurable: true,
    get: () => {
      throw new GraphError(
        `${optimizer.getClassName()} reads iterations in its update, which in a compiled step would be the same number for all steps: count in a tf.Variable, or make the optimizer with defineOptimizer of @convkit/core, which has step.`,
      );
    },
  });
  return () => {
    delete own.incrementIterations;
    delete own.iterations;
    if (isCounted)
      trace.afterRun.push(() => {
        optimizer.iterations_ = (optimizer.iterations_ ?? 0) + 1;
      });
  };
}
