import "@tensorflow/tfjs-layers";
import { availableEngines, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";

const engines = await availableEngines();

/** Rounds, since memory that is written past its end shows late. */
const rounds = 100;

it.each(engines)("%s engine survives the filter gradient of strided 1x1 convolutions", async (engine) => {
  await useEngine(engine);
  for (const [batch, size, channels, filters, stride] of [
    [3, 12, 3, 8, 2],
    [1, 7, 3, 16, 3],
  ] as const) {
    const x = tf.ones([batch, size, size, channels]) as tf.Tensor4D;
    const filter = tf.ones([1, 1, channels, filters]);
    const out = Math.ceil(size / stride);
    for (let round = 0; round < rounds; round++) {
      const gradient = tf.tidy(() =>
        tf
          .grad((w) => tf.sum(tf.conv2d(x, w as tf.Tensor4D, stride, "same")))(filter)
          .dataSync(),
      );
      expect(gradient).toEqual(new Float32Array(channels * filters).fill(batch * out * out));
    }
    tf.dispose([x, filter]);
  }
});
