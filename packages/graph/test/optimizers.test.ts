import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, adamw, compile, rmsprop, sgd } from "../src/index.ts";
import { hashed } from "./networks.ts";

const golden = JSON.parse(readFileSync(new URL("golden/optimizers.json", import.meta.url), "utf8")) as {
  cases: Record<string, [number[], number[]]>;
};

const optimizers = {
  sgd: () => sgd({ learningRate: 0.1 }),
  "sgd momentum": () => sgd({ learningRate: 0.1, momentum: 0.9 }),
  "sgd nesterov": () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  adam: () => adam({ learningRate: 0.01 }),
  adamw: () => adamw({ learningRate: 0.01, weightDecay: 0.1 }),
  rmsprop: () => rmsprop({ learningRate: 0.01 }),
  "rmsprop momentum": () => rmsprop({ learningRate: 0.01, momentum: 0.5 }),
  "rmsprop centered": () => rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
  "clip value": () => sgd({ learningRate: 0.1, clipValue: 0.5 }),
  "clip norm": () => sgd({ learningRate: 0.1, clipNorm: 1 }),
  "clip global norm": () => sgd({ learningRate: 0.1, globalClipNorm: 1.5 }),
};
const names = Object.keys(optimizers) as (keyof typeof optimizers)[];

const values = (start: number, scale = 1) => Float32Array.from({ length: 6 }, (_, i) => scale * hashed(start + i));
const gradients = (step: number) =>
  [values(1000 * (step + 1), 2), values(1000 * (step + 1) + 100, 0.5)].map((data) => ({ data, shape: [6] }));

test("the golden has every case", () => expect(Object.keys(golden.cases)).toEqual(names));

describe.runIf(engines.includes("native"))("five updates equal Keras', the rate halved after three", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(
    names.flatMap((name) => ["eager", "compiled", "compiled deterministic"].map((how) => [name, how] as const)),
  )("%s, %s", async (name, how) => {
    const variables = [tf.variable(tf.tensor(values(0))), tf.variable(tf.tensor(values(100)))] as const;
    const optimizer = optimizers[name]();
    const apply = (...tensors: tf.Tensor[]) =>
      optimizer.applyGradients(variables.map(({ name }, i) => ({ name, tensor: tensors[i] as tf.Tensor })));
    const step = compile(apply, { deterministic: how.endsWith("deterministic") });
    for (let i = 0; i < 5; i++) {
      if (i === 3) optimizer.learningRate /= 2;
      if (how === "eager") tf.tidy(() => apply(...gradients(i).map(({ data }) => tf.tensor(data))));
      else await step(...(gradients(i) as never[]));
    }
    variables.forEach((variable, i) => {
      const expected = golden.cases[name]?.[i] as number[];
      [...variable.dataSync()].forEach((value, j) => expect(value).toBeCloseTo(expected[j] as number, 5));
    });
    await step.dispose();
    optimizer.dispose();
    tf.dispose([...variables]);
  });

  test.each(["adam", "sgd momentum"] as const)("%s goes on from saved weights", async (name) => {
    const [one, two] = [optimizers[name](), optimizers[name]()];
    const a = tf.variable(tf.tensor(values(0)));
    const update = (optimizer: typeof one, variable: tf.Variable, step: number) =>
      tf.tidy(() => optimizer.applyGradients([{ name: variable.name, tensor: tf.tensor(values(1000 * step)) }]));
    for (const step of [1, 2]) update(one, a, step);
    const b = tf.variable(a.clone());
    await two.setWeights(await one.getWeights());
    update(one, a, 3);
    update(two, b, 3);
    expect([...b.dataSync()]).toEqual([...a.dataSync()]);
  });

  test("saved slots go to the variables of their names, whatever the order of the updates", async () => {
    const [one, two] = [optimizers.adam(), optimizers.adam()];
    const [a, b] = [0, 10].map((seed) => tf.variable(tf.tensor(values(seed)))) as [tf.Variable, tf.Variable];
    const update = (optimizer: typeof one, variables: tf.Variable[], step: number) => {
      const gradient = (variable: tf.Variable) => tf.tensor(values((variable === a ? 1000 : 5000) * step));
      const named = variables.map((variable) => ({ name: variable.name, tensor: gradient(variable) }));
      tf.tidy(() => optimizer.applyGradients(named));
    };
    for (const step of [1, 2]) update(one, [a, b], step);
    await two.setWeights(await one.getWeights());
    const before = [a, b].map((variable) => variable.clone());
    update(one, [a, b], 3);
    const wanted = [a, b].map((variable) => [...variable.dataSync()]);
    a.assign(before[0]!);
    b.assign(before[1]!);
    update(two, [b, a], 3);
    expect([a, b].map((variable) => [...variable.dataSync()])).toEqual(wanted);
  });

  test.each(["adam", "sgd momentum"] as const)("%s goes on compiled from saved weights", async (name) => {
    const a = tf.variable(tf.tensor(values(0)));
    const one = optimizers[name]();
    const updating = (optimizer: typeof one, variable: tf.Variable) => (gradient: tf.Tensor) => {
      optimizer.applyGradients([{ name: variable.name, tensor: gradient }]);
    };
    const gradient = (step: number) => tf.tensor(values(1000 * step));
    for (const step of [1, 2]) tf.tidy(() => updating(one, a)(gradient(step)));
    const b = tf.variable(a.clone());
    const two = optimizers[name]();
    await two.setWeights(await one.getWeights());
    let fails = true;
    const compiled = compile((x: tf.Tensor) => {
      updating(two, b)(x);
      if (fails) throw new Error("in the middle");
    });
    // The values wait for a trace that succeeds.
    await expect(compiled(gradient(3))).rejects.toThrow("in the middle");
    fails = false;
    for (const step of [3, 4, 5]) {
      tf.tidy(() => updating(one, a)(gradient(step)));
      await compiled(gradient(step));
    }
    const [expected, got] = await Promise.all([one.getWeights(), two.getWeights()]);
    expect(got.length).toBe(expected.length);
    got.forEach(({ tensor }, index) => {
      const wanted = (expected[index] as { tensor: tf.Tensor }).tensor.dataSync();
      tensor.dataSync().forEach((value, i) => expect(value).toBeCloseTo(wanted[i] as number, 6));
    });
    b.dataSync().forEach((value, i) => expect(value).toBeCloseTo(a.dataSync()[i] as number, 6));
    await compiled.dispose();
    one.dispose();
    two.dispose();
    tf.dispose([a, b]);
  });
});

describe.runIf(engines.includes("native"))("gradients whose squares overflow", () => {
  test.each([
    ["RMSprop", () => tf.train.rmsprop(0.1)],
    ["Adam", () => tf.train.adam(0.1)],
  ] as const)("leave the weight alone as in eager tfjs, where deterministic: %s", async (_, make) => {
    await useEngine("native");
    const weights = (minimize: (w: tf.Variable, optimizer: tf.Optimizer) => unknown) => {
      const [w, optimizer] = [tf.variable(tf.tensor1d([1, 2])), make()];
      return { w, step: () => minimize(w, optimizer) };
    };
    const loss = (w: tf.Tensor) => tf.sum(tf.mul(w, tf.tensor1d([1e25, 1]))) as tf.Scalar;
    const eager = weights((w, optimizer) => tf.tidy(() => void optimizer.minimize(() => loss(w))));
    const steps: ReturnType<typeof compile<[], void>>[] = [];
    const compiled = weights((w, optimizer) => {
      steps[0] ??= compile(() => void optimizer.minimize(() => loss(w)), { deterministic: true });
      return steps[0]();
    });
    for (let i = 0; i < 3; i++) {
      eager.step();
      await compiled.step();
    }
    expect([...compiled.w.dataSync()]).toEqual([...eager.w.dataSync()]);
    expect(compiled.w.dataSync()[0]).toBe(1);
    await steps[0]!.dispose();
  });
});
