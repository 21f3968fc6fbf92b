import { BatchNormalization, batchNorm, chain, registerLayers } from "@convkit/core";
import { composedBatchNorm } from "@convkit/core/internal";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { batchNormTraining } from "../src/layers/normalization/batch-norm-kernel.ts";

const noMoments = (): void => {};

/** Automatic differentiation of the formula, op by op. */
function plain(x: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon: number): tf.Tensor4D {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normal, gamma), beta);
}

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });

  it.each([
    [4, 5, 6, 3, 1e-3],
    [2, 1, 1, 8, 1e-5],
    [1, 7, 3, 1, 1e-3],
    [32, 2, 2, 16, 1.001e-5],
  ])("value and gradients of [%i, %i, %i, %i] at epsilon %d equal the plain formula's", (n, h, w, c, epsilon) => {
    const x = tf.randomNormal([n, h, w, c], 0.5, 2, "float32", 1) as tf.Tensor4D;
    const gamma = tf.randomUniform([c], 0.5, 1.5, "float32", 2) as tf.Tensor1D;
    const beta = tf.randomUniform([c], -1, 1, "float32", 3) as tf.Tensor1D;
    const dy = tf.randomNormal([n, h, w, c], 0, 1, "float32", 4);
    const run = (norm: (...args: [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D]) => tf.Tensor): Float32Array[] => {
      const { value, grads } = tf.valueAndGrads((x, g, b) =>
        norm(x as tf.Tensor4D, g as tf.Tensor1D, b as tf.Tensor1D),
      )([x, gamma, beta], dy);
      return [value, ...grads].map((tensor) => tensor.dataSync() as Float32Array);
    };
    const expected = run((x, g, b) => plain(x, g, b, epsilon));
    for (const norm of [batchNormTraining, composedBatchNorm]) {
      const got = run((x, g, b) => norm(x, g, b, epsilon, noMoments));
      // Two values a channel: the gradient is what is left of a cancellation, and as large as 1 / deviation.
      const tolerance = n * h * w <= 2 ? 2e-3 : 2e-4;
      expected.forEach((values, which) => expect(farthest(values, got[which] as Float32Array)).toBeLessThan(tolerance));
    }
  });

  it("moves its statistics as Keras does, by the population variance", () => {
    const layer = new BatchNormalization({ name: "bn", momentum: 0.9 });
    const x = tf.tensor4d([1, 2, 3, 6], [4, 1, 1, 1]);
    layer.apply(x, { training: true });
    const [mean, variance] = layer
      .getWeights()
      .slice(2)
      .map((tensor) => tensor.dataSync()[0]);
    expect(mean).toBeCloseTo(0.1 * 3, 5);
    expect(variance).toBeCloseTo(0.9 * 1 + 0.1 * 3.5, 5);
  });

  it("leaves masked steps out of a batch's statistics", () => {
    const layer = new BatchNormalization({ name: "bn", momentum: 0.75, epsilon: 0.01 });
    const x = tf.tensor3d([1, 10, 2, 20, 900, 900, 4, 50, 800, 800, 700, 700], [2, 3, 2]);
    const mask = tf.tensor2d([1, 1, 0, 1, 0, 0], [2, 3], "bool");
    const y = layer.apply(x, { training: true, mask }) as tf.Tensor;
    const [mean, variance] = layer.getWeights().slice(2);
    for (const [channel, kept] of [
      [1, 2, 4],
      [10, 20, 50],
    ].entries()) {
      const middle = (kept[0]! + kept[1]! + kept[2]!) / 3;
      const spread = kept.reduce((sum, value) => sum + (value - middle) ** 2, 0) / 3;
      expect(mean!.dataSync()[channel]).toBeCloseTo(0.25 * middle, 4);
      expect(variance!.dataSync()[channel]).toBeCloseTo(0.75 + 0.25 * spread, 3);
      expect(y.dataSync()[channel]).toBeCloseTo((kept[0]! - middle) / Math.sqrt(spread + 0.01), 4);
      // A masked step is normalized, too.
      expect(y.dataSync()[4 + channel]).toBeCloseTo((900 - middle) / Math.sqrt(spread + 0.01), 2);
    }
  });

  it("normalizes by its moving statistics when frozen, in training too", () => {
    const layer = new BatchNormalization({ name: "bn" });
    const x = tf.randomNormal([4, 3, 3, 2]);
    const still = (layer.apply(x) as tf.Tensor).dataSync();
    layer.trainable = false;
    const before = layer.getWeights().map((tensor) => tensor.dataSync());
    expect((layer.apply(x, { training: true }) as tf.Tensor).dataSync()).toEqual(still);
    expect(layer.getWeights().map((tensor) => tensor.dataSync())).toEqual(before);
  });

  it.each([[{ scale: false }], [{ center: false }], [{ scale: false, center: false }]])("trains with %j", (options) => {
    const input = tfl.input({ shape: [3, 3, 2] });
    const model = tfl.model({ inputs: input, outputs: chain({ bn: batchNorm(options) })(input, "") });
    expect(model.trainableWeights).toHaveLength(2 - Object.keys(options).length);
    const x = tf.randomNormal([4, 3, 3, 2], 3, 2) as tf.Tensor4D;
    const y = model.apply(x, { training: true }) as tf.Tensor4D;
    expect(farthest(y.dataSync(), plain(x, tf.ones([2]), tf.zeros([2]), 1e-3).dataSync())).toBeLessThan(1e-4);
  });

  it("normalizes vectors", () => {
    const layer = new BatchNormalization({ name: "bn" });
    const y = layer.apply(
      tf.tensor2d([
        [1, 10],
        [3, 30],
      ]),
      { training: true },
    ) as tf.Tensor;
    expect(y.shape).toEqual([2, 2]);
    expect(farthest(y.dataSync(), [-1, -1, 1, 1])).toBeLessThan(1e-3);
  });

  it("leaves no tensors behind", () => {
    const layer = new BatchNormalization({ name: "bn" });
    const x = tf.randomNormal([2, 3, 3, 2]);
    layer.apply(x);
    const step = (): void =>
      tf.tidy(() => {
        tf.variableGrads(() => tf.sum(tf.square(layer.apply(x, { training: true }) as tf.Tensor)));
      });
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
    layer.dispose();
  });

  it("keeps its stock name in saved files, and is what they load as", async () => {
    registerLayers();
    const input = tfl.input({ shape: [3, 3, 2] });
    const model = tfl.model({ inputs: input, outputs: chain({ bn: batchNorm({ epsilon: 1e-5 }) })(input, "") });
    const topology = model.toJSON(null, false) as unknown as { config: { layers: { class_name: string }[] } };
    expect(topology.config.layers[1]?.class_name).toBe("BatchNormalization");
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } });
      }),
    );
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
    expect(loaded.layers[1]).toBeInstanceOf(BatchNormalization);
  });
});

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] as number))), 0);
}
