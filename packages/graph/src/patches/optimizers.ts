import * as tf from "@tensorflow/tfjs-core";
import type { Trace } from "../trace/trace.ts";
import {
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  momentumOps,
  applyRmsProp,
  makeSlot,
  number,
} from "../trace/fused-updates.ts";
import type { Update } from "../trace/fused-updates.ts";
import type { TracePatch } from "./trace-patch.ts";

type Gradients = tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[];
interface Slot {
  originalName: string;
  variable: tf.Variable;
}

/** The fields of tfjs' optimizers that a step needs; tfjs' types hide them. */
interface Fields {
  learningRate: number;
  /** SGD's negative rate. */
  c?: tf.Tensor;
  iterations_?: number;
  momentum: number;
  useNesterov: boolean;
  accumulations: Slot[];
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: tf.Variable;
  accBeta2: tf.Variable;
  accumulatedFirstMoment: Slot[];
  accumulatedSecondMoment: Slot[];
  decay: number;
  centered: boolean;
  accumulatedMeanSquares: Slot[];
  accumulatedMoments: Slot[];
  accumulatedMeanGrads: Slot[];
}

type Apply = (trace: Trace, optimizer: Fields, updates: (Update & { index: number })[]) => void;

/** The variables with a gradient, each with its index in the optimizer's slots. */
function listed(gradients: Gradients): (Update & { index: number })[] {
  const variables = tf.engine().registeredVariables;
  const entries = Array.isArray(gradients)
    ? gradients.map(({ name, tensor }) => [name, tensor] as const)
    : Object.entries(gradients);
  return entries.flatMap(([name, gradient], index) =>
    gradient === null || gradient === undefined ? [] : [{ variable: variables[name] as tf.Variable, gradient, index }],
  );
}

function slotAt(slots: Slot[], index: number, like: tf.Variable, suffix: string, value = 0): tf.Variable {
  slots[index] ??= {
    originalName: `${like.name}/${suffix}`,
    variable: makeSlot(like, `${like.name}/${suffix}`, value),
  };
  return (slots[index] as Slot).variable;
}

const sgd: Apply = (trace, optimizer, updates) => {
  const rate = trace.numbers.feed(optimizer, "learningRate", () => optimizer.learningRate);
  for (const update of updates) applyGradientDescent(trace, update, rate);
};

const momentum: Apply = (trace, optimizer, updates) => {
  const rate = trace.numbers.feed(optimizer, "learningRate", () => optimizer.learningRate);
  const numbers = { rate, momentum: number(trace, optimizer.momentum), nesterov: optimizer.useNesterov };
  for (const update of updates)
    applyMomentum(
      trace,
      momentumOps.plain,
      update,
      slotAt(optimizer.accumulations, update.index, update.variable, "momentum"),
      numbers,
    );
};

const adam: Apply = (trace, optimizer, updates) => {
  const { accBeta1, accBeta2, accumulatedFirstMoment: first, accumulatedSecondMoment: second } = optimizer;
  const rate = trace.numbers.feed(optimizer, "learningRate", () => optimizer.learningRate);
  tf.tidy(() => {
    // tfjs adds epsilon to the corrected root. Outside of the correction, epsilon shrinks by the factor of the
    // correction.
    const epsilon = tf.mul(optimizer.epsilon, tf.sqrt(tf.sub(1, accBeta2)));
    const numbers = {
      power1: trace.ref(accBeta1),
      power2: trace.ref(accBeta2),
      rate,
      beta1: number(trace, optimizer.beta1),
      beta2: number(trace, optimizer.beta2),
      epsilon: trace.ref(epsilon),
    };
    for (const update of updates) {
      const { index, variable } = update;
      applyAdam(trace, update, [slotAt(first, index, variable, "m"), slotAt(second, index, variable, "v")], numbers);
    }
    accBeta1.assign(tf.mul(accBeta1, optimizer.beta1));
    accBeta2.assign(tf.mul(accBeta2, optimizer.beta2));
  });
};

const rmsprop: Apply = (trace, optimizer, updates) => {
  const numbers = {
    rate: trace.numbers.feed(optimizer, "learningRate", () => optimizer.learningRate),
    rho: number(trace, optimizer.decay),
    momentum: number(trace, optimizer.momentum),
    // With centering, tfjs subtracts epsilon (from the variance, under the root).
    epsilon: number(trace, optimizer.centered ? -optimizer.epsilon : optimizer.epsilon),
  };
  for (const update of updates) {
    const { index, variable } = update;
    const meanSquare = slotAt(optimizer.accumulatedMeanSquares, index, variable, "rms");
    const moment = slotAt(optimizer.accumulatedMoments, index, variable, "momentum");
    const meanGradient = optimizer.centered ? slotAt(optimizer.accumulatedMeanGrads, index, variable, "mg") : undefined;
    applyRmsProp(trace, update, { meanSquare, moment, ...(meanGradient !== undefined && { meanGradient }) }, numbers);
  }
};

/** The fused update for each of tfjs' optimizers. */
const fusedUpdates: [{ name: string; prototype: object }, Apply | undefined][] = [
  [tf.MomentumOptimizer, momentum],
  [tf.SGDOptimizer, sgd],
  [tf.AdamOptimizer, adam],
  [tf.RMSPropOptimizer, rmsprop],
  [tf.AdagradOptimizer, undefined],
  [tf.AdadeltaOptimizer, undefined],
  [tf.AdamaxOptimizer, undefined],
];

/**
 * What: tfjs' optimizers update by TensorFlow's fused ops, into tfjs' own slots. Those without a fused op run their own code, and
 * so do all where the bits must be those of an eager step or an update may be skipped. Either way the learning rate is fed.
 * Why: a fused op passes over the weights once; a rate that is fed may change between runs.
 * Undone: when the trace ends.
 */
export const optimizerPatch: TracePatch = {
  targets: fusedUpdates.map(([{ name }]) => `tf.${name}.prototype.applyGradients`),
  apply(patches, trace) {
    for (const [Class, apply] of fusedUpdates) {
      patches.wrap(
        Class.prototype as { applyGradients: unknown },
        "applyGradients",
        (original) =>
          function (this: Fields, gradients: Gradients) {
            watchSlots(trace, this);
            trace.inUpdate(() => {
              if (apply === undefined || !trace.fusesUpdates) {
                feedRate(trace, this, () => original.call(this, gradients));
                return;
              }
              apply(trace, this, listed(gradients));
              trace.afterRun.push(() => {
                this.iterations_ = (this.iterations_ ?? 0) + 1;
              });
            });
          },
      );
    }
  },
};

const withSlots = ["momentum", "adadelta", "adam", "rmsprop", "adamax", "adagrad"] as const;

/**
 * What: the trace notes optimizers that the function makes.
 * Why: an optimizer that is made at every call starts anew each time, where the graph would keep its slots.
 * Undone: when the trace ends.
 */
export const optimizerFactoryPatch: TracePatch = {
  targets: withSlots.map((name) => `tf.train.${name}`),
  apply(patches, trace) {
    for (const name of withSlots) {
      patches.wrap(tf.train, name, (make) => (...args: unknown[]) => {
        const optimizer = make.apply(tf.train, args);
        trace.noteOptimizer();
        return optimizer;
      });
    }
  },
};

/** Restores the optimizer's slots if the trace fails, and marks the trace as outdated once other slots replace them. */
function watchSlots(trace: Trace, optimizer: object): void {
  for (const [name, slots] of Object.entries(optimizer)) {
    if (!Array.isArray(slots)) continue;
    const before: unknown[] = [...slots];
    trace.ended.push((isDone) => void (isDone || slots.splice(0, slots.length, ...before)));
    trace.outdated.push(() => (optimizer as Record<string, unknown>)[name] !== slots);
  }
}

/**
 * Runs an optimizer's own code with a learning rate that is fed. That code makes constants of the rate, so the rate is set to
 * a number that nothing else equals, and constants equal to it (or to its negative) become the input.
 */
function feedRate(trace: Trace, optimizer: Fields, apply: () => void): void {
  const rate = optimizer.learningRate;
  const mark = Math.fround(1.7724538e-9 * (1 + trace.numbers.all.length));
  trace.numbers.mark(mark, optimizer, "learningRate", () => optimizer.learningRate);
  if (optimizer.c !== undefined) trace.standFor(optimizer.c, -mark);
  optimizer.learningRate = mark;
  const { iterations_ } = optimizer;
  try {
    apply();
  } finally {
    optimizer.learningRate = rate;
    if (iterations_ === undefined) delete optimizer.iterations_;
    else optimizer.iterations_ = iterations_;
  }
  trace.afterRun.push(() => {
    optimizer.iterations_ = (optimizer.iterations_ ?? 0) + 1;
  });
}
