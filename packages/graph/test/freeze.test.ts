import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { batchOf, hashed, networks } from "./networks.ts";

/** Gives batch norm statistics and gains that are not trivial. */
function unsettle(net: tfl.LayersModel): void {
  for (const layer of net.layers) {
    if (layer.getClassName() !== "BatchNormalization") continue;
    const weights = layer.weights.map(({ shape }) => {
      const [n] = shape as [number];
      return tf.tensor(Float32Array.from({ length: n }, (_, i) => 1.2 + hashed(i)));
    });
    layer.setWeights(weights);
  }
}

describe.runIf(engines.includes("native"))("frozen prediction equals eager prediction", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(Object.entries(networks))("%s", async (_, { make, shape, classes }) => {
    const net = make();
    unsettle(net);
    const predict = compile((x: tf.Tensor) => net.apply(tf.div(x, 255)) as tf.Tensor, { freeze: true });
    const { images } = batchOf(4, shape, classes);
    const got = await predict(images);
    const expected = tf.tidy(
      () => net.apply(tf.div(tf.tensor(Float32Array.from(images.data), images.shape), 255)) as tf.Tensor,
    );
    const values = expected.dataSync();
    const size = Math.max(...values.map(Math.abs));
    got.data.forEach((value, i) => expect(Math.abs(value - (values[i] as number)) / size).toBeLessThan(1e-5));
    await predict.dispose();
  });

  test("batch norm goes into the convolution before it, and the shortcut's sum is one that fuses with it", async () => {
    const net = (networks["residual-basic"] as (typeof networks)[string]).make();
    const predict = compile((x: tf.Tensor) => net.apply(x) as tf.Tensor, { freeze: true });
    await predict({ data: new Float32Array(256), shape: [1, 8, 8, 4] });
    const [{ ops, variables }] = predict.describe() as [ReturnType<typeof predict.describe>[number]];
    expect(Object.keys(ops)).not.toContain("FusedBatchNorm");
    expect(Object.keys(ops)).not.toContain("Add");
    expect(Object.keys(ops)).toContain("AddN");
    expect(variables).toEqual([]);
    await predict.dispose();
  });

  test("dense layers are one kernel each, with bias and activation", async () => {
    // TensorFlow leaves a bias of zeros out.
    const biasInitializer = "ones";
    const net = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 8, activation: "relu", biasInitializer, inputShape: [6] }),
        tfl.layers.dense({ units: 8, activation: "tanh", biasInitializer }),
        tfl.layers.dense({ units: 3, biasInitializer }),
      ],
    });
    const predict = compile((x: tf.Tensor) => net.apply(x) as tf.Tensor, { freeze: true });
    const input = { data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), shape: [4, 6] };
    const { result, ops } = await predict.profile(input);
    expect(ops.filter(({ op }) => op.includes("FusedMatMul"))).toMatchObject([{ count: 3 }]);
    const expected = tf.tidy(() => (net.apply(tf.tensor(input.data, input.shape)) as tf.Tensor).dataSync());
    result.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    await predict.dispose();
  });

  test("a frozen function cannot write", async () => {
    const variable = tf.variable(tf.scalar(1));
    const step = compile(() => variable.assign(tf.add(variable, 1) as tf.Scalar) as unknown, { freeze: true });
    await expect(step()).rejects.toThrow(/frozen function cannot write/);
    await step.dispose();
  });

  test("deterministic keeps batch norm as it is, and computes eager's bits", async () => {
    const net = (networks["residual-basic"] as (typeof networks)[string]).make();
    unsettle(net);
    const predict = compile((x: tf.Tensor) => net.apply(x) as tf.Tensor, { freeze: true, deterministic: true });
    const input = { data: Float32Array.from({ length: 512 }, (_, i) => hashed(i)), shape: [2, 8, 8, 4] };
    const got = await predict(input);
    const expected = tf.tidy(() => (net.apply(tf.tensor(input.data, input.shape)) as tf.Tensor).dataSync());
    expect([...got.data]).toEqual([...expected]);
    const [{ ops }] = predict.describe() as [ReturnType<typeof predict.describe>[number]];
    expect(Object.keys(ops).filter((op) => op.startsWith("FusedBatchNorm"))).toHaveLength(1);
    await predict.dispose();
  });
});
