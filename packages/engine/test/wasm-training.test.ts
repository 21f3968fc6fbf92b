import "@tensorflow/tfjs-backend-cpu";
import { availableEngines, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

import { batchFor, networks } from "./wasm-networks.ts";

const wanted = process.env["CONVKIT_ENGINES"]?.split(",");
const engines = (await availableEngines()).filter((name) => wanted?.includes(name) ?? true);

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9, true),
  adam: () => tf.train.adam(1e-3),
  adamax: () => tf.train.adamax(1e-3),
  rmsprop: () => tf.train.rmsprop(1e-3),
  adagrad: () => tf.train.adagrad(0.01),
  adadelta: () => tf.train.adadelta(0.5),
};

/** Where an update is the gradient times a number; elsewhere a gradient of 1e-9 may move a weight as far as one of 1. */
const proportional = new Set(["sgd", "momentum"]);

const steps = 2;
const batch = 4;

interface Run {
  losses: number[];
  weights: Float32Array[];
  /** Tensors alive after each step. */
  tensors: number[];
}

/** The network, with the same weights every time: Glorot's uniform distribution, biases of zero. */
function build(name: string): tfl.LayersModel {
  const { input, body } = networks[name]!;
  const inputs = tfl.input({ shape: input });
  const model = tfl.model({ inputs, outputs: body(inputs) });
  const random = uniform(1);
  const weights = model.getWeights().map((weight) => {
    if (weight.rank < 2) return tf.clone(weight);
    const [inputs, outputs] = weight.shape.slice(-2) as [number, number];
    const taps = weight.size / (inputs * outputs);
    const limit = Math.sqrt(6 / (taps * (inputs + outputs)));
    return tf.tensor(
      Float32Array.from({ length: weight.size }, () => limit * (2 * random() - 1)),
      weight.shape,
    );
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** Numbers between 0 and 1, the same for each seed (Park and Miller's generator). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Some training steps on the backend that is set. */
function train(name: string, optimizerName: string): Run {
  const model = build(name);
  const optimizer = optimizers[optimizerName]!();
  const { x, y } = batchFor(networks[name]!.input, batch);
  const variables = model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
  const tensors: number[] = [];
  const losses = Array.from({ length: steps }, () => {
    const value = tf.tidy(() => {
      const loss = optimizer.minimize(
        () => {
          const output = tf.clipByValue(model.apply(x, { training: true }) as tf.Tensor, 1e-6, 1);
          return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.log(output)), -1)));
        },
        true,
        variables,
      )!;
      return loss.dataSync()[0]!;
    });
    tensors.push(tf.memory().numTensors);
    return value;
  });
  const weights = model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
  tf.dispose([x, y]);
  model.dispose();
  optimizer.dispose();
  return { losses, weights, tensors };
}

const expected = new Map<string, Run>();

async function expectedRun(name: string, optimizer: string): Promise<Run> {
  const key = `${name} ${optimizer}`;
  const known = expected.get(key);
  if (known) return known;
  await tf.setBackend("cpu");
  const run = train(name, optimizer);
  expected.set(key, run);
  return run;
}

const cases = Object.keys(networks).flatMap((name) =>
  Object.keys(optimizers).map((optimizer) => ({ name, optimizer })),
);

describe.each(engines)("%s engine", (engine) => {
  beforeAll(async () => {
    await tf.setBackend("cpu");
    // The first tensor on the cpu backend prints advice, unless this is a test.
    tf.scalar(0).dispose();
    await useEngine(engine);
    // In a test tfjs refuses kernels that leave memory behind, which tfjs-node's fused matrix product does.
    tf.env().set("IS_TEST", false);
  });

  it.each(cases)("trains $name with $optimizer as tfjs' cpu backend does", async ({ name, optimizer }) => {
    const oracle = await expectedRun(name, optimizer);
    await useEngine(engine);
    const { losses, weights } = train(name, optimizer);
    for (const [step, loss] of oracle.losses.entries()) {
      expect(Math.abs(losses[step]! - loss) / Math.max(1, Math.abs(loss)), `loss of step ${step}`).toBeLessThan(1e-4);
    }
    if (!proportional.has(optimizer)) return;
    const worst = Math.max(
      ...oracle.weights.map((values, w) =>
        values.reduce((most, value, i) => Math.max(most, Math.abs(value - weights[w]![i]!)), 0),
      ),
    );
    expect(worst, "weights").toBeLessThan(1e-4);
  });

  it("trains without leaving tensors behind", () => {
    const { tensors } = train("residual-basic", "sgd");
    expect(new Set(tensors).size).toBe(1);
  });
});
