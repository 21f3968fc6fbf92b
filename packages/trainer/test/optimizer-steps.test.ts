import { readFileSync } from "node:fs";
import { defineLayer, network } from "@convkit/core";
import { type EngineName, useEngine } from "@convkit/engine";
import { executable } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { type OptimizerConfig, optimizerNames } from "../src/index.ts";
import { limitGradients } from "../src/optimization/clipping.ts";
import { completeOptimizer } from "../src/optimization/optimizer-config.ts";
import { noteDifference, wayOf } from "./differences.ts";
import { WeightUpdate } from "../src/step/weight-update.ts";

interface Case {
  readonly optimizer: OptimizerConfig;
  /** The weights after each step. */
  readonly steps: readonly (readonly number[])[];
}

const golden = JSON.parse(readFileSync(new URL("golden/optimizer-steps.json", import.meta.url), "utf8")) as {
  readonly cases: readonly Case[];
  readonly adaptiveClip: Readonly<Record<string, { shape: number[]; start: number; clipped: number[] }>>;
};

test("the golden has every optimizer", () => {
  expect(new Set(golden.cases.map(({ optimizer }) => optimizer.name))).toEqual(new Set(optimizerNames));
});

const shapes = [[3, 2], [3]] as const;

/** A number from -1 to 1 that is fixed by its index. */
function hashed(index: number): number {
  let h = Math.imul(index ^ (index >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

function values(start: number, shape: readonly number[], scale = 1): Float32Array {
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => scale * hashed(start + i));
}

const twoWeights = defineLayer<Record<never, never>, "matrix" | "list">("TwoWeightsOfSteps", {
  weights: () => ({ matrix: { shape: shapes[0] }, list: { shape: shapes[1] } }),
  call: (x) => x,
});

function start(): LayersModel {
  const model = network([1], twoWeights());
  model.setWeights(shapes.map((shape, k) => tf.tensor(values(100 * k, shape), [...shape])));
  return model;
}

/** A model whose weights an optimizer moves, by given gradients. */
class Training {
  readonly model = start();
  readonly update: WeightUpdate;
  readonly #step;
  readonly #rate: number;

  constructor(optimizer: OptimizerConfig, eager: boolean) {
    this.update = new WeightUpdate(this.model, { optimizer });
    this.#rate = completeOptimizer(optimizer).learningRate;
    const names = this.update.trainable.map(({ name }) => name);
    this.#step = executable(
      (...gradients) => {
        this.update.add(Object.fromEntries(names.map((name, k) => [name, gradients[k] as tf.Tensor])), 1);
        return [];
      },
      { eager },
    );
  }

  async run(step: number): Promise<void> {
    this.update.setRate(step < 10 ? this.#rate : this.#rate / 2);
    await this.#step.run(
      shapes.map((shape, k) => ({
        data: values(1000 * (step + 1) + 100 * k, shape, [2, 0.5][k]!),
        shape: [...shape],
      })),
    );
    await this.#step.sync();
  }

  values(): number[] {
    return this.model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  }

  async dispose(): Promise<void> {
    await this.#step.dispose();
    this.update.dispose();
  }
}

const paths = engines
  .filter((name) => name !== "gpu")
  .flatMap((name): (readonly [EngineName, boolean])[] =>
    name === "wasm"
      ? [[name, true]]
      : [
          [name, false],
          [name, true],
        ],
  );

describe.each(paths)("on %s, eager: %s", (engine, eager) => {
  beforeAll(async () => {
    await useEngine(engine);
    tf.env().set("IS_TEST", false);
  });

  test.each(golden.cases.map((each) => [JSON.stringify(each.optimizer), each] as const))(
    "each of twenty steps equals the reference's, and a resumed run has the same bits: %s",
    async (_title, { optimizer, steps }) => {
      const one = new Training(optimizer, eager);
      let two: Training | undefined;
      let largest = 0;
      for (const [step, wanted] of steps.entries()) {
        await one.run(step);
        const got = one.values();
        wanted.forEach((value, i) => {
          largest = Math.max(largest, Math.abs(got[i]! - value));
        });
        await two?.run(step);
        if (step !== 9) continue;
        const saved = await Promise.all(
          (await one.update.tensors()).map(async ({ name, tensor }) => ({
            name,
            tensor: tf.tensor(await tensor.data(), tensor.shape),
          })),
        );
        two = new Training(optimizer, eager);
        expect(await two.update.restore(saved)).toEqual([]);
      }
      const { name, ...options } = optimizer;
      const told = Object.keys(options).length === 0 ? name : `${name} ${JSON.stringify(options)}`;
      noteDifference({ table: "optimizers", name: told, way: wayOf(engine, eager), largest });
      expect(largest).toBeLessThan(2e-6);
      expect(two!.values()).toEqual(one.values());
      await one.dispose();
      await two!.dispose();
    },
  );

  test.each(Object.entries(golden.adaptiveClip))("adaptive clipping of a %s equals timm's", (name, each) => {
    const { shape, start: first, clipped } = each;
    const weight = tf.variable(tf.tensor(values(9000 + first, shape, 0.1), shape));
    const gradient = tf.tensor(values(20_000 + first, shape, 0.002), shape);
    const limited = limitGradients({ [weight.name]: gradient }, { adaptiveClip: {} }, () => `layer/${name}`);
    const got = [...limited[weight.name]!.dataSync()];
    clipped.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 8));
    expect(got).not.toEqual([...gradient.dataSync()]);
    weight.dispose();
  });
});
