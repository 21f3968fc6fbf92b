import {
  BatchNormalization,
  Dropout,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  globalAvgPool,
  maxPool,
} from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";

// Nothing here registers this package's layers: the file is loaded as by somebody who has tfjs alone.
it("a saved model loads and predicts the same in tfjs without this package", async () => {
  await useEngine(engines[0] ?? "auto");
  const input = tfl.input({ shape: [12, 12, 3] });
  const body = chain({
    conv: conv(8, 3, { padding: 1, stride: 2 }),
    bn: batchNorm({ epsilon: 1e-5 }),
    thin: conv(4, 1, { padding: "same", stride: 2 }),
    pool: maxPool(2, 2, { padding: "same" }),
    mean: globalAvgPool(),
    drop: dropout(0.5),
    fc: dense(3, { activation: "softmax" }),
  });
  const model = tfl.model({ inputs: input, outputs: body(input, "") });
  const x = tf.randomNormal([4, 12, 12, 3]);
  tf.tidy(() => void model.apply(x, { training: true }));
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } });
    }),
  );
  const stock = await tfl.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
  expect(stock.layers.some((layer) => layer instanceof BatchNormalization || layer instanceof Dropout)).toBe(false);
  const [ours, theirs] = [model, stock].map((which) => which.predict(x) as tf.Tensor) as [tf.Tensor, tf.Tensor];
  expect(tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0]).toBeLessThan(1e-6);
});
