import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, compile, sgd } from "../src/index.ts";

/** What a function does to its variables and tensors, at some places among them. */
interface State {
  variables: tf.Variable[];
  tensors: tf.Tensor[];
  optimizer: tf.Optimizer;
}
type Act = (state: State, a: number, b: number, at: number) => void;

const acts: Record<string, Act> = {
  add: ({ variables, tensors }, a, _, at) => variables[a]!.assign(tf.add(variables[a]!, tensors[at]!)),
  clone: ({ variables, tensors }, a, _, at) => void (tensors[at] = variables[a]!.clone()),
  copy: ({ variables }, a, b) => variables[a]!.assign(variables[b]!.clone()),
  set: ({ variables, tensors }, a, _, at) => variables[a]!.assign(tf.mul(tensors[at]!, 0.5)),
  read: ({ variables, tensors }, a, b, at) => void (tensors[at] = tf.tanh(tf.add(variables[a]!, variables[b]!))),
  exchange: ({ variables }, a, b) => {
    const before = variables[a]!.clone();
    variables[a]!.assign(variables[b]!.clone());
    variables[b]!.assign(before);
  },
  minimize: ({ variables, tensors, optimizer }, a, b, at) =>
    void optimizer.minimize(
      () => tf.sum(tf.square(tf.sub(tf.mul(variables[a]!, 1.5), tf.add(variables[b]!, tensors[at]!)))) as tf.Scalar,
      false,
      [...new Set([variables[a]!, variables[b]!])],
    ),
};

/** Large enough that rounding does not turn an update round where a gradient is nothing. */
const EPSILON = 0.01;

const optimizers = {
  SGD: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  Adam: () => tf.train.adam(0.05, 0.9, 0.999, EPSILON),
  RMSprop: () => tf.train.rmsprop(0.05, 0.9, 0, EPSILON),
  Adagrad: () => tf.train.adagrad(0.05),
  "this package's SGD": () => sgd({ learningRate: 0.05, momentum: 0.5 }),
  "this package's Adam": () => adam({ learningRate: 0.05, epsilon: EPSILON }),
};

type Program = (readonly [act: string, a: number, b: number, at: number])[];

/** Variables, and a function that does to them what a program says. */
function made(program: Program, optimizer: tf.Optimizer) {
  const variables = [1, 2, 3].map((value) => tf.variable(tf.tensor1d([value, -value / 2])));
  const fn = (x: tf.Tensor) => {
    const state: State = { variables, tensors: [x, variables[0]!.clone()], optimizer };
    for (const [act, a, b, at] of program) acts[act]!(state, a, b, at);
    return [...state.tensors.map((tensor) => tf.mul(tensor, 1)), ...variables];
  };
  return { fn, values: () => variables.map((variable) => [...variable.dataSync()]) };
}

describe.runIf(engines.includes("native"))("any order of updates", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each([
    ["one by one", false, {}],
    ["several in one run", true, {}],
    ["deterministic", false, { deterministic: true }],
  ] as const)("gives what it gives eagerly: %s", async (_, isOneRun, options) => {
    const [place, either] = [fc.nat(2), fc.nat(1)];
    const act = fc.tuple(fc.constantFrom(...Object.keys(acts)), place, place, either);
    const kinds = fc.constantFrom(...Object.values(optimizers));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 6 }), kinds, async (program, make) => {
        const [eager, compiled] = [made(program, make()), made(program, make())];
        const inputs = [0.1, 0.4, 0.7].map((value) => tf.tensor1d([value, 1 - value]));
        const expected = inputs.map((x) => tf.tidy(() => eager.fn(x).map((tensor) => [...tensor.dataSync()])));
        const step = compile(compiled.fn, options);
        const results = isOneRun
          ? await step.steps(inputs.map((x) => [x]))
          : await Promise.all(inputs.map((x) => step(x)));
        const got = results.map((result) => result.map(({ data }) => [...data]));
        close([got, compiled.values()].flat(4) as number[], [expected, eager.values()].flat(4) as number[]);
        await step.dispose();
      }),
      { numRuns: 25, seed: 7 },
    );
  });
});

function close(got: readonly number[], expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  const size = Math.max(1, ...expected.map(Math.abs));
  got.forEach((value, i) => expect(Math.abs(value - expected[i]!) / size).toBeLessThan(1e-3));
}
