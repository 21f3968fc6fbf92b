import * as tf from "@tensorflow/tfjs-core";
import type { TracePatch } from "./trace-patch.ts";

/**
 * What: tfjs' check for leaks in kernels is off; it is on only where `IS_TEST` is set.
 * Why: it counts the parts of a fused kernel that are kept for its gradient as a leak.
 * Undone: when the trace ends.
 */
export const leakCheckPatch: TracePatch = {
  targets: ["tf.engine().shouldCheckForMemLeaks"],
  apply(patches) {
    const engine = tf.engine() as unknown as { shouldCheckForMemLeaks(): boolean };
    patches.wrap(engine, "shouldCheckForMemLeaks", () => () => false);
  },
};
