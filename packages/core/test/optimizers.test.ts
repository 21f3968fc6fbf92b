import { type EngineName, useEngine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { adamax, defineOptimizer, ftrl, lookahead, muon } from "../src/index.ts";

const signed = defineOptimizer("SignedOfTest", {
  options: { learningRate: 0.1, beta: 0.5 },
  slots: { mean: 0 },
  shared: { halves: 1 },
  advance: ({ halves }) => ({ halves: tf.div(halves, 2) }),
  update: ({ weight, gradient, rate, step, slots, shared }, { beta }) => {
    const mean = tf.add(tf.mul(slots.mean, beta), tf.mul(gradient, 1 - beta));
    const size = tf.mul(rate, tf.add(shared.halves, tf.div(1, step)));
    return { weight: tf.sub(weight, tf.mul(tf.sign(mean), size)), mean };
  },
});

/** The same by plain numbers, for the gradients of `gradientAt`. */
function byHand(steps: number, { decay = 0, factor = 1 } = {}): number {
  let [weight, mean] = [1, 0];
  for (let step = 1; step <= steps; step += 1) {
    const rate = (step < 4 ? 0.1 : 0.05) * factor;
    mean = mean * 0.5 + gradientAt(step) * 0.5;
    weight -= weight * rate * decay;
    weight -= Math.sign(mean) * rate * (0.5 ** step + 1 / step);
  }
  return weight;
}

const gradientAt = (step: number) => (step % 3 === 0 ? -4 : 1);

describe.each(engines.filter((name) => name !== "gpu"))("on %s", (engine: EngineName) => {
  test.each([false, true])("an optimizer of one's own moves as its formula says, compiled: %s", async (isCompiled) => {
    await useEngine(engine);
    if (isCompiled && engine === "wasm") return;
    const [plain, other] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(1))];
    const optimizer = signed({
      weightDecay: 0.3,
      perVariable: (variable) => (variable === other ? { rateFactor: 2, weightDecay: 0 } : {}),
    });
    const update = (gradient: tf.Tensor) =>
      optimizer.applyGradients([plain, other].map(({ name }) => ({ name, tensor: gradient })));
    const step = compile(update);
    for (let i = 1; i <= 6; i += 1) {
      if (i === 4) optimizer.learningRate = 0.05;
      const gradient = tf.scalar(gradientAt(i));
      if (isCompiled) await step(gradient);
      else update(gradient);
      gradient.dispose();
    }
    expect(plain.dataSync()[0]).toBeCloseTo(byHand(6, { decay: 0.3 }), 6);
    expect(other.dataSync()[0]).toBeCloseTo(byHand(6, { factor: 2 }), 6);
    await step.dispose();
    optimizer.dispose();
    tf.dispose([plain, other]);
  });

  test("an update and a disposal leave no tensors behind", async () => {
    await useEngine(engine);
    const weight = tf.variable(tf.tensor2d([[1, 2]]));
    const before = tf.memory().numTensors;
    const optimizer = lookahead(adamax(), { every: 2 });
    const gradient = tf.tensor2d([[1, -1]]);
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients([{ name: weight.name, tensor: gradient }]);
    gradient.dispose();
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
    weight.dispose();
  });

  test("muon moves filters as the matrix of their rows", async () => {
    await useEngine(engine);
    const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7));
    const gradients = Float32Array.from({ length: 24 }, (_, i) => Math.cos(i * 2.3));
    const moved = (shape: number[], flattenFilters: boolean) => {
      const weight = tf.variable(tf.tensor(values, shape));
      const optimizer = muon({ flattenFilters, weightDecay: 0.1 });
      for (let i = 0; i < 2; i += 1)
        tf.tidy(() => optimizer.applyGradients([{ name: weight.name, tensor: tf.tensor(gradients, shape) }]));
      return [...weight.dataSync()];
    };
    expect(moved([2, 2, 2, 3], true)).toEqual(moved([8, 3], false));
    expect(moved([2, 2, 2, 3], false)).not.toEqual(moved([8, 3], false));
  });

  test("state of other variables is refused", async () => {
    await useEngine(engine);
    const [a, b] = [tf.variable(tf.scalar(1), true, `a-${engine}`), tf.variable(tf.scalar(1), true, `b-${engine}`)];
    const [one, two] = [ftrl(), ftrl()];
    const update = (optimizer: typeof one, { name }: tf.Variable) =>
      tf.tidy(() => optimizer.applyGradients([{ name, tensor: tf.scalar(1) }]));
    update(one, a);
    await two.setWeights(await one.getWeights());
    expect(() => update(two, b)).toThrow(/belong to \["a-.*"\], but \["b-.*"\] are updated/);
    await expect(two.setWeights([])).rejects.toThrow(/got none named iter/);
  });
});

test("wrong options and definitions are refused", () => {
  expect(() => adamax({ beta: 0.5 } as object)).toThrow(/Adamax: expected the options .*, got "beta"/);
  expect(() => signed({ learningRate: Number.NaN })).toThrow(
    /SignedOfTest: expected learningRate to be a number from 0, got/,
  );
  expect(() => lookahead(adamax(), { every: 0 })).toThrow(/expected every to be a whole number from 1/);
  expect(() => defineOptimizer("No", { options: { learningRate: 1 } } as never)).toThrow(/expected \{ update:/);
  expect(() => defineOptimizer("no-name", { options: { learningRate: 1 }, update: () => ({}) as never })).toThrow(
    /a name/,
  );
});
