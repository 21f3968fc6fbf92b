import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { accelerate, compile } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eagerly, runProgram } from "../src/model-program.ts";
import type { Action, ModelProgram, Part, Runner } from "../src/model-program.ts";

// As in layers.test.ts: tfjs' leak check takes kernels made of several ops for leaks.
tf.env().set("IS_TEST", false);

const place = fc.nat({ max: 12 });
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    kind: fc.constant("conv" as const),
    from: place,
    filters: fc.integer({ min: 1, max: 4 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    strides: fc.constantFrom(1, 1, 2),
    activation: fc.constantFrom("relu" as const, "tanh" as const, "linear" as const),
  }),
  fc.record({
    kind: fc.constantFrom("norm" as const, "pool" as const, "average" as const, "relu" as const),
    from: place,
  }),
  fc.record({
    kind: fc.constant("merge" as const),
    from: place,
    other: place,
    how: fc.constantFrom("add" as const, "concatenate" as const, "maximum" as const),
  }),
  fc.record({ kind: fc.constantFrom("shared" as const, "nested" as const), from: fc.nat({ max: 2 }) }),
);
const batch = fc.integer({ min: 1, max: 7 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("train" as const, "predict" as const, "evaluate" as const), batch }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("scale" as const), factor: fc.constantFrom(0.5, 0.9, 1.1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("freeze" as const), layer: place }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("copyFromOther" as const, "thaw" as const, "average" as const) }),
  },
);
const programs: fc.Arbitrary<ModelProgram> = fc.record({
  parts: fc.array(part, { minLength: 1, maxLength: 6 }),
  outputs: fc.constantFrom(1 as const, 2 as const),
  optimizer: fc.constantFrom("sgd" as const, "momentum" as const, "adam" as const, "rmsprop" as const),
  actions: fc.array(action, { minLength: 2, maxLength: 8 }),
});

const accelerated: Runner = {
  prepare: async (model) => {
    const undo = accelerate(model, { onNotice: (line) => expect.fail(line) });
    return () => undo.dispose();
  },
  predict: eagerly.predict,
};

/** Trains eagerly; each prediction is a compiled function of its own. */
const compiledPredictions = (freeze: boolean): Runner => ({
  prepare: eagerly.prepare,
  predict: async (model, x) => {
    const graph = compile((input: tf.Tensor) => [model.predict(input)].flat() as tf.Tensor[], { freeze });
    try {
      return (await graph(x)).flatMap(({ data }) => [...data]);
    } finally {
      await graph.dispose();
    }
  },
});

/** Runs an engine's way of a program and compares every number with eager TensorFlow's. */
function agrees(wanted: readonly number[], got: readonly number[], how: string): void {
  expect(got.length, how).toBe(wanted.length);
  const off = wanted.findIndex(
    (right, i) =>
      !(Math.abs(right - got[i]!) <= 2e-3 * Math.max(1, Math.abs(right))) &&
      !(Number.isNaN(right) && Number.isNaN(got[i])),
  );
  expect(off, `${how}: number ${off} is ${got[off]}, eagerly ${wanted[off]}`).toBe(-1);
}

const numRuns = Number(process.env["CONVKIT_FIND"] ?? 20);

describe.runIf(engines.includes("native"))("random models with random uses have the same numbers", () => {
  test.each([
    ["accelerated", accelerated],
    ["predicted by a compiled function", compiledPredictions(false)],
    ["predicted by a frozen function", compiledPredictions(true)],
  ])("%s", async (how, runner) => {
    await useEngine("native");
    const property = fc.asyncProperty(programs, async (program) => {
      agrees(await runProgram(program, eagerly), await runProgram(program, runner), how);
    });
    await fc.assert(property, { numRuns });
  });

  test.runIf(engines.includes("wasm"))("on wasm", async () => {
    const property = fc.asyncProperty(programs, async (program) => {
      await useEngine("native");
      const wanted = await runProgram(program, eagerly);
      await useEngine("wasm");
      agrees(wanted, await runProgram(program, eagerly), "wasm");
    });
    await fc.assert(property, { numRuns });
  });
});
