import * as tf from "@tensorflow/tfjs-core";
import { applyTracePatches } from "../patches/index.ts";
import type { LossScale } from "../trace/loss-scale.ts";
import type { Backend } from "../tfjs/backend.ts";
import { withRecorder } from "../tfjs/recording.ts";
import { Trace } from "../trace/trace.ts";
import { forgetSortedLayers } from "../tfjs/sorted-layers.ts";

/** How a function is recorded. */
export interface RecordOptions {
  /** The seed for the random numbers of all runs. */
  seed: number;
  /** Returns the number of the run, which also determines the random numbers. */
  counter: () => number;
  /** Records exactly the ops of eager tfjs, in their order: equal bits matter more than speed. */
  exact: boolean;
  /**
   * How optimizers update: with TensorFlow's fused ops, with fused ops while the run reports whether a gradient's
   * square overflows, or with their own code.
   */
  updates: "fused" | "watched" | "own";
  /** In float16: the scale of the loss. */
  lossScale?: LossScale;
  /** Records what to compare with recordings at other batch sizes, not to run: no passes, constants alike at all sizes. */
  isRaw?: boolean;
}

/**
 * Runs `body` once and records every op instead of computing it. Variables keep their values when `body` assigns to
 * them. Variables that `body` makes (an optimizer's slots) start with their initial values.
 */
export function record<T>(
  backend: Backend,
  options: RecordOptions,
  body: (trace: Trace) => T,
): { trace: Trace; result: T } {
  const trace = new Trace(backend, options);
  const engine = tf.engine();
  const patches = applyTracePatches(trace);
  let isDone = false;
  try {
    const result = withRecorder(trace, () => {
      engine.startScope("compile");
      try {
        return body(trace);
      } finally {
        engine.endScope();
        trace.finishing = true;
      }
    });
    isDone = true;
    return { trace, result };
  } finally {
    patches.undo();
    withRecorder(trace, () => {
      for (const variable of trace.variables.values()) variable.restore(isDone);
    });
    if (!isDone) for (const variable of trace.made) variable.dispose();
    for (const end of trace.ended.toReversed()) end(isDone);
    trace.inference.dispose();
    // The graph replaces the sorted layers.
    forgetSortedLayers();
  }
}
