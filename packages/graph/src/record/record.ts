import * as tf from "@tensorflow/tfjs-core";
import { applyTracePatches } from "../patches/index.ts";
import type { LossScale } from "../trace/loss-scale.ts";
import type { Backend } from "../tfjs/backend.ts";
import { withRecorder } from "../tfjs/recording.ts";
import { Trace } from "../trace/trace.ts";

/** How a function is recorded. */
export interface RecordOptions {
  /** The seed of the random numbers of all runs. */
  seed: number;
  /** Gives the number of the run, on which random numbers depend too. */
  counter: () => number;
  /** Records only what eager tfjs computes, in its order: equal bits before speed. */
  exact: boolean;
  /**
   * How optimizers update: by TensorFlow's fused ops, by these ops while the run reports whether a gradient's square
   * overflows, or by their own code.
   */
  updates: "fused" | "watched" | "own";
  /** In float16: what the loss is scaled by. */
  lossScale?: LossScale;
}

/**
 * Runs `body` once with every op recorded instead of computed. Variables that it assigns to keep their values; variables that
 * it makes (an optimizer's slots) start with the values they were made with.
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
  }
}
