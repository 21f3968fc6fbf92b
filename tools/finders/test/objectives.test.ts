import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { Draw, hashed, sizeOf } from "../src/draw.ts";
import { objectiveCases } from "../src/objective-cases.ts";
import type { ObjectiveCase } from "../src/objective-cases.ts";
import { peerResults } from "../src/peer-results.ts";

interface Result {
  value: number[];
  gradient?: number[];
}

// As in layers.test.ts: tfjs' leak check takes kernels made of several ops for leaks.
tf.env().set("IS_TEST", false);

const draw = new Draw(Number(process.env["CONVKIT_SEED"] ?? 1));
const cases = objectiveCases(draw, Number(process.env["CONVKIT_FIND"] ?? 3)).map((one) => ({
  ...one,
  ...numbersOf(one),
}));
let results: Result[] = [];

type Numbers = { y: number[]; p: number[] } | { weight: number[] };

function numbersOf({ kind, shape, labels, predictions, seed }: ObjectiveCase): Numbers {
  const raw = (start: number) => [...hashed(seed + start, sizeOf(shape))];
  if (kind === "constraint") return { weight: raw(0) };
  const [rows, columns] = shape as [number, number];
  const share = (values: number[]) =>
    values.map((value, i) => {
      const row = values.slice(i - (i % columns), i - (i % columns) + columns);
      return Math.exp(value) / row.reduce((sum, x) => sum + Math.exp(x), 0);
    });
  const picks = Array.from({ length: rows }, (_, i) => Math.floor(((hashed(seed + 900 + i, 1)[0]! + 1) / 2) * columns));
  const labelled = {
    values: () => raw(500),
    positive: () => raw(500).map((x) => Math.abs(x) + 0.1),
    bits: () => raw(500).map((x) => (x > 0 ? 1 : 0)),
    signs: () => raw(500).map((x) => (x > 0 ? 1 : -1)),
    distribution: () => share(raw(500)),
    indices: () => picks,
    oneHot: () => picks.flatMap((pick) => Array.from({ length: columns }, (_, i) => (i === pick ? 1 : 0))),
  };
  const predicted = {
    values: () => raw(0),
    positive: () => raw(0).map((x) => Math.abs(x) + 0.1),
    units: () => raw(0).map((x) => (x + 1) / 2),
    probabilities: () => share(raw(0)),
  };
  return { y: labelled[labels!](), p: predicted[predictions!]() };
}

beforeAll(() => {
  if (peerPython !== undefined) results = peerResults<Result>("objectives.py", cases);
});

/** A model whose weight is its prediction: its input is the unit matrix, so that one step of SGD at rate 1 shows the gradient. */
function asModel(one: ObjectiveCase & { y: number[]; p: number[] }, compileArgs: object) {
  const [rows, columns] = one.shape as [number, number];
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: columns, useBias: false, inputShape: [rows] })],
  });
  model.setWeights([tf.tensor(one.p, [rows, columns])]);
  model.compile({ optimizer: tf.train.sgd(1), loss: "meanSquaredError", ...compileArgs });
  return { model, x: tf.eye(rows), y: tf.tensor(one.y, [rows, one.y.length / rows]) };
}

async function computed(one: (typeof cases)[number]): Promise<Result> {
  if ("weight" in one) {
    const make = tfl.constraints[one.name as "maxNorm"] as (args: object) => { apply(w: tf.Tensor): tf.Tensor };
    return {
      value: [
        ...make(one.args ?? {})
          .apply(tf.tensor(one.weight, [...one.shape]))
          .dataSync(),
      ],
    };
  }
  if (one.kind === "metric") {
    const metric = tfl.metrics[one.name as "mse"];
    const { model, x, y } = asModel(one, {
      loss: one.labels === "indices" ? "sparseCategoricalCrossentropy" : "meanSquaredError",
      metrics: [metric],
    });
    // Two uneven batches: the mean over all rows counts, not that of the batches.
    const [, value] = model.evaluate(x, y, { batchSize: 2 }) as tf.Scalar[];
    return { value: [...value!.dataSync()] };
  }
  const { model, x, y } = asModel(one, { loss: one.name });
  const value = (await model.trainOnBatch(x, y)) as number;
  const after = model.getWeights()[0]!.dataSync();
  return { value: [value], gradient: one.p.map((before, i) => before - after[i]!) };
}

describe.runIf(peerPython !== undefined)("losses, metrics and constraints equal Keras'", () => {
  describe.each(engines)("%s", (engine) => {
    beforeAll(() => useEngine(engine));

    test.each(cases.map((one, i) => [`${one.kind} ${one.name} ${i}`, i] as const))("%s", async (_, i) => {
      const got = await computed(cases[i]!);
      const wanted = results[i]!;
      for (const key of ["value", "gradient"] as const) {
        for (const [j, right] of (wanted[key] ?? []).entries()) {
          const ours = got[key]![j]!;
          expect(Math.abs(ours - right), `${key} ${j}: ${ours}, Keras ${right}`).toBeLessThanOrEqual(
            3e-5 * Math.max(1, Math.abs(right)),
          );
        }
      }
    });
  });
});
