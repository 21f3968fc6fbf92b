import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

import { availableEngines, useEngine } from "@convkit/engine";

/** `tf.engine().reset()` throws every backend away: the next one needs the engine's kernels again. */
test.each((await availableEngines()).filter((name) => name !== "gpu"))(
  "the %s engine computes after tf.engine().reset()",
  async (name) => {
    const { backend } = await useEngine(name);
    for (let round = 0; round < 3; round++) {
      if (round > 0) {
        tf.engine().reset();
        await tf.setBackend(backend);
      }
      const [dx, dw] = tf.grads((x, w) =>
        tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "valid"), 1)),
      )([tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]), tf.tensor4d([1, -1, 2, 0.5], [2, 2, 1, 1])]);
      expect(Array.from(dx!.dataSync())).toEqual([1, -1, 2, 0.5]);
      expect(Array.from(dw!.dataSync())).toEqual([1, 2, 3, 4]);
      // Large enough for several threads.
      const product = tf.matMul(tf.ones([512, 512]), tf.ones([512, 512]));
      expect(product.dataSync()[512 * 512 - 1]).toBe(512);
      // Signals and timers are heard between reads, though a read is answered at once.
      const heard: string[] = [];
      setTimeout(() => heard.push("a timer"));
      for (const end = performance.now() + 60_000; heard.length === 0 && performance.now() < end;)
        expect([...(await tf.add(dx!, 1).data())]).toEqual([2, 0, 3, 1.5]);
      expect(heard).toEqual(["a timer"]);
    }
  },
);
