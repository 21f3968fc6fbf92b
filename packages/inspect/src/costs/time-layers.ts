import { positionOf } from "@convkit/core/internal";
import type { Position } from "@convkit/core/internal";
import * as tf from "@tensorflow/tfjs-core";
import type { LayerUse } from "./layer-uses.ts";

/** Median seconds of each layer on the values that it gets in the network. */
export async function timeLayers(
  uses: readonly LayerUse[],
  valueOf: (position: Position) => tf.Tensor,
  runs: number,
): Promise<number[]> {
  const seconds: number[] = [];
  tf.engine().startScope("timed layers");
  try {
    for (const { layer, inputs } of uses) {
      const values = inputs.map(({ tensor, inside }) => valueOf(positionOf(tensor, inside)));
      if (values.length === 0) {
        seconds.push(0);
        continue;
      }
      const times: number[] = [];
      // The first run is not timed: it compiles or reserves memory.
      for (let run = 0; run <= runs; run++) {
        const start = performance.now();
        const element = tf.tidy(() => {
          const [output] = [layer.apply(values.length === 1 ? (values[0] as tf.Tensor) : values)].flat() as tf.Tensor[];
          return tf.slice(tf.reshape(output as tf.Tensor, [-1]), 0, 1);
        });
        // An engine that computes later has finished once a number can be read.
        await element.data();
        element.dispose();
        if (run > 0) times.push((performance.now() - start) / 1000);
      }
      seconds.push(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] as number);
    }
    return seconds;
  } finally {
    tf.engine().endScope();
  }
}
