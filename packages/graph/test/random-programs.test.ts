import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { accelerate, adam, compile, sgd } from "../src/index.ts";

/** Programs a test; `CONVKIT_PROGRAMS=100000` runs for hours. */
const programs = Number(process.env["CONVKIT_PROGRAMS"] ?? 50);
const patience = Math.max(600_000, programs * 3000);

const VARIABLES = 3;
const SIZE = [2, 3] as const;

type Value = { of: "variable"; index: number } | { of: "clone"; index: number } | { of: "number"; number: number };

/** What happens inside of the compiled function. */
type Inner =
  | { do: "assign"; to: number; from: Value; scale: number }
  | { do: "copy"; to: number; from: number }
  | { do: "clone"; of: number }
  | { do: "minimize"; optimizer: number; weights: number[]; other: Value; scale: number };

/** What happens between its calls. */
type Outer =
  | { do: "run"; batch: number }
  | { do: "predict"; frozen: boolean; batch: number }
  | { do: "assign"; to: number; from: Value }
  | { do: "clone"; of: number }
  | { do: "dispose clone"; index: number }
  | { do: "toggle"; index: number };

interface Program {
  /** The variable, or none, that each variable is made of. */
  madeOf: (number | null)[];
  inner: Inner[];
  outer: Outer[];
}

const index = fc.nat(VARIABLES - 1);
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ of: fc.constant("variable" as const), index }),
  fc.record({ of: fc.constant("clone" as const), index: fc.nat(3) }),
  fc.record({ of: fc.constant("number" as const), number: fc.constantFrom(0, 1, -0.5) }),
);
const scale = fc.constantFrom(0.5, -1, 1);
const inner: fc.Arbitrary<Inner> = fc.oneof(
  fc.record({ do: fc.constant("assign" as const), to: index, from: value, scale }),
  fc.record({ do: fc.constant("copy" as const), to: index, from: index }),
  fc.record({ do: fc.constant("clone" as const), of: index }),
  fc.record({
    do: fc.constant("minimize" as const),
    optimizer: fc.nat(3),
    weights: fc.uniqueArray(index, { minLength: 1, maxLength: 2 }),
    other: value,
    scale,
  }),
);
const batch = fc.integer({ min: 1, max: 2 });
const outer: fc.Arbitrary<Outer> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("run" as const), batch }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("predict" as const), frozen: fc.boolean(), batch }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("assign" as const), to: index, from: value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clone" as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("dispose clone" as const), index: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("toggle" as const), index }) },
);
const program: fc.Arbitrary<Program> = fc.record({
  madeOf: fc.tuple(fc.constant(null), fc.option(fc.constant(0)), fc.option(fc.nat(1))),
  inner: fc.array(inner, { minLength: 1, maxLength: 5 }),
  outer: fc.array(outer, { minLength: 2, maxLength: 9 }),
});

/** A call that runs eagerly or compiled, and gives numbers. */
type Call = (batch: number) => Promise<number[]>;
type Make = (fn: (x: tf.Tensor) => tf.Tensor[], frozen: boolean) => { call: Call; dispose: () => Promise<void> };

const input = (batch: number) => ({
  data: Float32Array.from({ length: batch * 2 }, (_, i) => Math.sin(i + batch)),
  shape: [batch, 2],
});

const eagerly: Make = (fn) => ({
  call: async (batch) => {
    const { data, shape } = input(batch);
    const results = tf.tidy(() => fn(tf.tensor(data, shape)));
    return results.flatMap((result) => [...result.dataSync()]);
  },
  dispose: async () => {},
});
const compiled =
  (options: { deterministic?: boolean }): Make =>
  (fn, freeze) => {
    const f = compile(fn, { ...options, freeze });
    return {
      call: async (batch) => (await f(input(batch))).flatMap(({ data }) => [...data]),
      dispose: () => f.dispose(),
    };
  };

/** Everything a program shows, in order. */
async function run({ madeOf, inner: body, outer: actions }: Program, make: Make): Promise<number[][]> {
  const variables: tf.Variable[] = [];
  for (const from of madeOf) {
    const start = tf.tensor2d([0.1, -0.2, 0.3, 0.4, -0.5, 0.6], [...SIZE]);
    variables.push(tf.variable(from === null ? start : (variables[from] as tf.Tensor)));
  }
  const clones: tf.Tensor[] = [];
  const own = adam({ learningRate: 0.05 });
  const optimizers = [tf.train.sgd(0.1), own, sgd({ learningRate: 0.1, momentum: 0.9 }), tf.train.adagrad(0.1)];
  const variable = (i: number) => variables[i] as tf.Variable;
  const read = (from: Value): tf.Tensor => {
    if (from.of === "variable") return variable(from.index);
    if (from.of === "number") return tf.fill([...SIZE], from.number);
    return clones[from.index] ?? tf.fill([...SIZE], 0.25);
  };
  const step = (x: tf.Tensor): tf.Tensor[] => {
    const seen: tf.Tensor[] = [];
    for (const part of body) {
      if (part.do === "assign")
        variable(part.to).assign(tf.tanh(tf.add(tf.mul(read(part.from), part.scale), tf.mean(x))));
      else if (part.do === "copy") {
        if (part.to !== part.from) variable(part.to).assign(variable(part.from));
      } else if (part.do === "clone") seen.push(variable(part.of).clone());
      else {
        const loss = () => {
          const sum = part.weights.map(variable).reduce<tf.Tensor>((a, w) => tf.add(a, w), tf.scalar(0.5));
          const pull = tf.sub(sum, tf.mul(read(part.other), part.scale));
          return tf.add(
            tf.mean(tf.square(pull)),
            tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, sum as tf.Tensor2D))),
          ) as tf.Scalar;
        };
        // tfjs' own optimizers keep slots by place: one with slots gets one variable.
        const weights = part.weights.map(variable).slice(0, part.optimizer === 3 ? 1 : 2);
        if (!weights.some(({ trainable }) => trainable)) continue;
        if (part.optimizer === 3 && weights[0] !== variable(0)) continue;
        seen.push((optimizers[part.optimizer] as tf.Optimizer).minimize(loss, true, weights) as tf.Scalar);
      }
    }
    return [...seen, ...variables.map((v) => tf.mul(v, 2)), variable(0)];
  };
  const predict = (x: tf.Tensor) => variables.map((v) => tf.matMul(x as tf.Tensor2D, v as tf.Tensor2D));
  // Closed over: a clone that is made or disposed later is another function.
  let steps = make(step, false);
  const shown: number[][] = [];
  const renew = async () => {
    await steps.dispose();
    steps = make(step, false);
  };
  for (const action of actions) {
    if (action.do === "run") shown.push(await steps.call(action.batch));
    else if (action.do === "predict") {
      const predictor = make(predict, action.frozen);
      shown.push(await predictor.call(action.batch));
      await predictor.dispose();
    } else if (action.do === "assign") {
      const from = read(action.from);
      // tfjs frees the data of a variable that is assigned to itself.
      if (from === variable(action.to)) continue;
      variable(action.to).assign(from);
      if (action.from.of === "number") from.dispose();
    } else if (action.do === "clone") {
      clones.push(variable(action.of).clone());
      await renew();
    } else if (action.do === "dispose clone") {
      const [gone] = clones.splice(action.index, 1);
      gone?.dispose();
      if (gone !== undefined) await renew();
    } else if (action.do === "toggle") variable(action.index).trainable = !variable(action.index).trainable;
    shown.push([...variables, ...clones].flatMap((tensor) => [...tensor.dataSync()]));
  }
  await steps.dispose();
  shown.push([...variables, ...clones].flatMap((tensor) => [...tensor.dataSync()]));
  tf.dispose([...clones, ...variables]);
  for (const optimizer of optimizers) optimizer.dispose();
  return shown;
}

function expectClose(got: readonly number[][], expected: readonly number[][], how: string): void {
  expect(got.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  got.forEach((row, place) =>
    row.forEach((value, i) => {
      const wanted = expected[place]![i] as number;
      if (!(Math.abs(value - wanted) <= 2e-3 * Math.max(1, Math.abs(wanted))))
        throw new Error(`${how}: number ${i} of result ${place} is ${value}, and ${wanted} eagerly.`);
    }),
  );
}

type Layered =
  | { do: "fit"; model: number; batchSize: number }
  | { do: "predict"; model: number; rows: number }
  | { do: "copy weights"; to: number }
  | { do: "keep weights" }
  | { do: "set kept weights"; model: number }
  | { do: "toggle"; model: number; layer: number };

const which = fc.nat(1);
const layered: fc.Arbitrary<Layered> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("fit" as const), model: which, batchSize: fc.integer({ min: 2, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("predict" as const), model: which, rows: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("copy weights" as const), to: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("keep weights" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("set kept weights" as const), model: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("toggle" as const), model: which, layer: fc.nat(1) }) },
);

interface LayeredProgram {
  /** The second model has the first layer of the first model. */
  shares: boolean;
  /** The first model lies in another. */
  nested: boolean;
  outputs: number;
  optimizer: number;
  actions: Layered[];
}

const layeredProgram: fc.Arbitrary<LayeredProgram> = fc.record({
  shares: fc.boolean(),
  nested: fc.boolean(),
  outputs: fc.integer({ min: 1, max: 2 }),
  optimizer: fc.nat(2),
  actions: fc.array(layered, { minLength: 2, maxLength: 7 }),
});

/** Two small models and what is done with them: every loss, prediction and weight. */
async function runLayered(
  { shares, nested, outputs, optimizer, actions }: LayeredProgram,
  isFast: boolean,
): Promise<number[][]> {
  const zeros = { kernelInitializer: "zeros" } as const;
  const shared = tfl.layers.dense({ units: 3, activation: "relu", ...zeros });
  const build = () => {
    const x = tfl.input({ shape: [2] });
    const first = shares ? shared : tfl.layers.dense({ units: 3, activation: "relu", ...zeros });
    const hidden = first.apply(x) as tfl.SymbolicTensor;
    const heads = Array.from(
      { length: outputs },
      () => tfl.layers.dense({ units: 1, ...zeros }).apply(hidden) as tfl.SymbolicTensor,
    );
    const plain = tfl.model({ inputs: x, outputs: heads.length === 1 ? (heads[0] as tfl.SymbolicTensor) : heads });
    if (!nested) return plain;
    const outside = tfl.input({ shape: [2] });
    return tfl.model({ inputs: outside, outputs: plain.apply(outside) as tfl.SymbolicTensor });
  };
  const models = [build(), build()];
  let count = 0;
  for (const model of models) {
    model.setWeights(model.getWeights().map(({ shape }) => tf.randomUniform(shape, -1, 1, "float32", (count += 1))));
    // tfjs' own optimizers with slots keep these by place, and mix them up where a layer is frozen.
    const made = [
      () => tf.train.sgd(0.1),
      () => adam({ learningRate: 0.05 }),
      () => sgd({ learningRate: 0.05, momentum: 0.9 }),
    ];
    model.compile({ optimizer: (made[optimizer] as () => tf.Optimizer)(), loss: "meanSquaredError" });
  }
  const fast = isFast ? models.map((model) => accelerate(model)) : [];
  const rows = (n: number, width: number) =>
    tf.tensor2d(
      Float32Array.from({ length: n * width }, (_, i) => Math.cos(i * 1.7)),
      [n, width],
    );
  const x = rows(5, 2);
  const y = Array.from({ length: outputs }, (_, i) => tf.mul(rows(5, 1), i + 1));
  let kept: tf.Tensor[] | undefined;
  const shown: number[][] = [];
  for (const action of actions) {
    const model = "model" in action ? (models[action.model] as tfl.LayersModel) : undefined;
    if (action.do === "fit") {
      const config = { batchSize: action.batchSize, epochs: 1, shuffle: false, verbose: 0 } as const;
      const { history } = await model!.fit(x, outputs === 1 ? (y[0] as tf.Tensor) : y, config);
      shown.push(history["loss"] as number[]);
    } else if (action.do === "predict")
      shown.push([model!.predict(rows(action.rows, 2))].flat().flatMap((output) => [...output.dataSync()]));
    else if (action.do === "copy weights") models[action.to]!.setWeights(models[1 - action.to]!.getWeights());
    else if (action.do === "keep weights") kept = models[0]!.getWeights().map((w) => w.clone());
    else if (action.do === "set kept weights") model!.setWeights(kept ?? models[0]!.getWeights());
    else {
      const inside = nested ? (model!.layers.at(-1) as tfl.LayersModel) : model!;
      const layer = inside.layers.filter((candidate) => candidate.weights.length > 0)[action.layer];
      // Something must stay trainable.
      if (layer !== undefined && (action.layer === 1 || outputs === 2)) layer.trainable = !layer.trainable;
    }
    shown.push(models.flatMap((each) => each.getWeights().flatMap((w) => [...w.dataSync()])));
  }
  for (const each of fast) await each.dispose();
  shown.push(models.flatMap((each) => each.getWeights().flatMap((w) => [...w.dataSync()])));
  return shown;
}

describe.runIf(engines.includes("native"))("random programs", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.env().set("IS_TEST", false);
  });

  test(
    "over variables that share data give the same numbers eagerly and compiled",
    async () => {
      await fc.assert(
        fc.asyncProperty(program, fc.boolean(), async (one, deterministic) => {
          const expected = await run(one, eagerly);
          if (!expected.flat().every((number) => Number.isFinite(number) && Math.abs(number) < 1e4)) return;
          expectClose(await run(one, compiled({ deterministic })), expected, "compiled");
        }),
        { numRuns: programs },
      );
    },
    patience,
  );

  test(
    "over models give the same numbers eagerly and accelerated",
    async () => {
      // tfjs says that a layer was frozen without compiling anew, which is meant here.
      const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
      await fc.assert(
        fc.asyncProperty(layeredProgram, async (one) => {
          expectClose(await runLayered(one, true), await runLayered(one, false), "accelerated");
        }),
        { numRuns: Math.ceil(programs / 2) },
      );
      warn.mockClear();
    },
    patience,
  );
});
