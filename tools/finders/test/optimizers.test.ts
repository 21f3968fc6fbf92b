import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { engines, peerPython } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { Draw, hashed } from "../src/draw.ts";
import { optimizerCases } from "../src/optimizer-cases.ts";
import type { OptimizerCase } from "../src/optimizer-cases.ts";
import { peerResults } from "../src/peer-results.ts";

// As in layers.test.ts: tfjs' leak check takes kernels made of several ops for leaks.
tf.env().set("IS_TEST", false);

const [sizes, steps] = [[6, 3], 20] as const;
const draw = new Draw(Number(process.env["CONVKIT_SEED"] ?? 1));
const cases = optimizerCases(draw, Number(process.env["CONVKIT_FIND"] ?? 2)).map((one) => ({
  ...one,
  starts: sizes.map((size, i) => [...hashed(one.seed + 100 * i, size)]),
  // No gradient is near zero: there, a step of Adam is one of rounding errors.
  gradients: Array.from({ length: steps }, (_, step) =>
    sizes.map((size, i) => [...hashed(one.seed + 1000 * (step + 1) + 100 * i, size)].map((x) => x + Math.sign(x) / 10)),
  ),
}));
let keras: (number[][] | null)[] = [];

beforeAll(() => {
  if (peerPython !== undefined) keras = peerResults<number[][] | null>("optimizers.py", cases);
});

function make({ name, options: o }: OptimizerCase): tf.Optimizer {
  const rate = o["learningRate"] as number;
  const of = (key: string) => o[key] as number;
  const flag = (key: string) => o[key] as boolean;
  switch (name) {
    case "sgd":
      return tf.train.sgd(rate);
    case "momentum":
      return tf.train.momentum(rate, of("momentum"), flag("nesterov"));
    case "adagrad":
      return tf.train.adagrad(rate, of("initialAccumulatorValue"));
    case "adadelta":
      return tf.train.adadelta(rate, of("rho"), of("epsilon"));
    case "adam":
      return tf.train.adam(rate, of("beta1"), of("beta2"), of("epsilon"));
    case "adamax":
      return tf.train.adamax(rate, of("beta1"), of("beta2"), of("epsilon"), of("decay"));
    case "rmsprop":
      return tf.train.rmsprop(rate, of("decay"), of("momentum"), of("epsilon"), flag("centered"));
  }
}

/** The formulas of tfjs that differ from Keras', in float64: the update of a weight by gradient `g` at a step from 1. */
const formulas: Partial<
  Record<OptimizerCase["name"], (of: (key: string) => number) => (g: number, step: number) => number>
> = {
  adam(of) {
    let [mean, square] = [0, 0];
    return (g, step) => {
      mean = of("beta1") * mean + (1 - of("beta1")) * g;
      square = of("beta2") * square + (1 - of("beta2")) * g * g;
      const root = Math.sqrt(square / (1 - of("beta2") ** step));
      return (of("learningRate") * mean) / (1 - of("beta1") ** step) / (root + of("epsilon"));
    };
  },
  adadelta(of) {
    let [square, moved] = [0, 0];
    return (g) => {
      const update = (Math.sqrt(moved + of("epsilon")) / Math.sqrt(square + of("epsilon"))) * g;
      square = of("rho") * square + (1 - of("rho")) * g * g;
      moved = of("rho") * moved + (1 - of("rho")) * update * update;
      return of("learningRate") * update;
    };
  },
  rmsprop(of) {
    let [mean, square, moment] = [0, 0, 0];
    return (g) => {
      mean = of("decay") * mean + (1 - of("decay")) * g;
      square = of("decay") * square + (1 - of("decay")) * g * g;
      moment = of("momentum") * moment + (of("learningRate") * g) / Math.sqrt(square - mean ** 2 - of("epsilon"));
      return moment;
    };
  },
};

function byFormula({ name, options: o, starts, gradients }: (typeof cases)[number]): number[][] {
  return starts.map((start, variable) =>
    start.map((from, i) => {
      const update = formulas[name]!((key) => o[key] as number);
      return gradients.reduce((weight, all, step) => weight - update(all[variable]![i]!, step + 1), from);
    }),
  );
}

async function computed(one: (typeof cases)[number], compiled: boolean): Promise<number[][]> {
  const optimizer = make(one);
  const variables = one.starts.map((start) => tf.variable(tf.tensor1d(start)));
  const apply = (...given: tf.Tensor[]) =>
    void optimizer.applyGradients(variables.map(({ name }, i) => ({ name, tensor: given[i]! })));
  const step = compiled ? compile(apply) : undefined;
  for (const gradients of one.gradients) {
    const tensors = gradients.map((gradient) => tf.tensor1d(gradient));
    if (step === undefined) tf.tidy(() => apply(...tensors));
    else await step(...tensors);
    tf.dispose(tensors);
  }
  await step?.dispose();
  return variables.map((variable) => [...variable.dataSync()]);
}

const paths = engines.flatMap(
  (engine) =>
    (engine === "wasm"
      ? [[engine, false]]
      : [
          [engine, false],
          [engine, true],
        ]) as [typeof engine, boolean][],
);

describe.runIf(peerPython !== undefined)("tfjs' optimizers after twenty steps equal Keras, or their formula", () => {
  describe.each(paths)("%s, compiled: %s", (engine, compiled) => {
    beforeAll(() => useEngine(engine));

    test.each(cases.map((one, i) => [`${one.name} ${JSON.stringify(one.options)}`, i] as const))("%s", async (_, i) => {
      const one = cases[i]!;
      const wanted = keras[i] ?? byFormula(one);
      const got = await computed(one, compiled);
      for (const [variable, values] of wanted.entries())
        for (const [j, right] of values.entries()) expect(got[variable]![j], `${variable}, ${j}`).toBeCloseTo(right, 5);
    });
  });
});
