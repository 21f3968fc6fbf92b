import { summarize } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { buildSimpleCnn, simpleCnn } from "../examples/conv-layer.ts";

describe.each(engines)("a layer of one's own on raw conv2d, on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });

  it("makes the network that it is written for", () => {
    const model = buildSimpleCnn();
    const { params, layers, macs } = summarize(model);
    expect(macs).toBe(24 * 24 * 5 * 5 * 3 * 32 + 4608 * 10);
    expect(macs).toBe(simpleCnn.macs);
    // 5x5 and then a 2x2 pool.
    expect(layers.find(({ name }) => name === "pool1")?.receptiveField).toEqual([6, 6]);
    expect(params).toEqual({ total: simpleCnn.params, trainable: simpleCnn.trainable, nonTrainable: 0 });
    expect(layers.map(({ outputShape }) => outputShape.slice(1))).toEqual([
      [28, 28, 3],
      [24, 24, 32],
      [12, 12, 32],
      [4608],
      [10],
    ]);
  });

  it("starts from Glorot's uniform kernels and a normal bias", () => {
    const [kernels, bias] = buildSimpleCnn().getLayer("conv1").getWeights() as [tf.Tensor, tf.Tensor];
    const limit = Math.sqrt(6 / (25 * 3 + 25 * 32));
    expect(tf.max(tf.abs(kernels)).dataSync()[0]).toBeLessThanOrEqual(limit);
    expect(tf.max(tf.abs(kernels)).dataSync()[0]).toBeGreaterThan(0.95 * limit);
    expect(tf.moments(bias).variance.dataSync()[0]).toBeCloseTo(0.05 ** 2, 2);
    expect(tf.min(tf.abs(bias)).dataSync()[0]).toBeGreaterThan(0);
  });

  it("learns", () => {
    const model = buildSimpleCnn();
    const x = tf.randomUniform([32, 28, 28, 3], 0, 1, "float32", 1);
    const labels = tf.oneHot(tf.cast(tf.mod(tf.range(0, 32), 10), "int32"), 10);
    const optimizer = tf.train.sgd(0.05);
    const step = (): number =>
      tf.tidy(() => {
        const loss = optimizer.minimize(
          () =>
            tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.log(tf.add(model.apply(x) as tf.Tensor, 1e-7))), 1))) as tf.Scalar,
          true,
        ) as tf.Scalar;
        return loss.dataSync()[0] as number;
      });
    const first = step();
    const last = Array.from({ length: 20 }, step).at(-1) as number;
    expect(last).toBeLessThan(0.9 * first);
  });
});
