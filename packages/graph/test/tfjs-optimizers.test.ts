import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";

const optimizers = {
  SGD: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
  Nesterov: () => tf.train.momentum(0.1, 0.9, true),
  Adam: () => tf.train.adam(0.1),
  RMSprop: () => tf.train.rmsprop(0.1),
  "RMSprop with momentum": () => tf.train.rmsprop(0.1, 0.8, 0.5),
  "centred RMSprop of a large epsilon": () => tf.train.rmsprop(0.1, 0.9, 0.5, 0.05, true),
  Adagrad: () => tf.train.adagrad(0.1),
  Adadelta: () => tf.train.adadelta(0.1),
  Adamax: () => tf.train.adamax(0.1),
};

/** A weight with an optimizer, and the function that moves it. */
function training(make: () => tf.Optimizer) {
  const weight = tf.variable(tf.tensor1d([1, -2, 0.5]));
  const optimizer = make() as tf.Optimizer & { learningRate: number };
  const minimize = () =>
    optimizer.minimize(() => tf.sum(tf.mul(tf.square(weight), tf.tensor1d([1, 2, 3]))) as tf.Scalar, true) as tf.Scalar;
  return { weight, optimizer, minimize, values: () => [...weight.dataSync()] };
}

function close(got: readonly number[], expected: readonly number[]): void {
  got.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
}

describe.runIf(engines.includes("native"))("tfjs' optimizers", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(
    Object.entries(optimizers).flatMap(([name, make]) => [
      [name, "compiled", make] as const,
      [name, "compiled deterministic", make] as const,
    ]),
  )("%s, %s, moves as eagerly, the rate changed after three steps", async (_, how, make) => {
    const [eager, compiled] = [training(make), training(make)];
    const step = compile(compiled.minimize, { deterministic: how.endsWith("deterministic") });
    for (let i = 0; i < 6; i++) {
      if (i === 3) for (const { optimizer } of [eager, compiled]) setRate(optimizer, 0.03);
      tf.tidy(() => void eager.minimize());
      await step();
      close(compiled.values(), eager.values());
    }
    expect(compiled.optimizer.iterations).toBe(eager.optimizer.iterations);
    await step.dispose();
  });

  test.each(Object.entries(optimizers))("%s goes on after a function that failed to compile", async (_, make) => {
    const [plain, failed] = [training(make), training(make)];
    const step = compile(() => failed.minimize().dataSync());
    await expect(step()).rejects.toThrow(/read back/);
    for (let i = 0; i < 2; i++) tf.tidy(() => [plain.minimize(), failed.minimize()]);
    expect(failed.values()).toEqual(plain.values());
    const again = compile(failed.minimize);
    await again();
    tf.tidy(() => void plain.minimize());
    close(failed.values(), plain.values());
    await Promise.all([step.dispose(), again.dispose()]);
  });

  test.each(["momentum", "Adam", "RMSprop", "Adagrad", "Adadelta"] as const)(
    "%s goes on from weights that were set after it was compiled",
    async (name) => {
      const { weight, optimizer, minimize, values } = training(optimizers[name]);
      const step = compile(minimize);
      await step();
      const state = (await optimizer.getWeights()).map(({ name, tensor }) => ({ name, tensor: tensor.clone() }));
      const start = weight.clone();
      const run = async () => {
        await Promise.all([step(), step()]);
        return values();
      };
      const first = await run();
      await optimizer.setWeights(state);
      weight.assign(start as tf.Tensor1D);
      expect(await run()).toEqual(first);
      expect(step.describe()).toHaveLength(1);
      await step.dispose();
    },
  );
});

function setRate(optimizer: tf.Optimizer & { learningRate: number }, rate: number): void {
  // tfjs' SGD keeps a tensor of it.
  if ("setLearningRate" in optimizer) (optimizer as unknown as tf.SGDOptimizer).setLearningRate(rate);
  else optimizer.learningRate = rate;
}
