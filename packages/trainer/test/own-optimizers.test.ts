import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineOptimizer } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { train, type TrainOptions } from "../src/index.ts";
import { data, network } from "./arithmetic.ts";

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

const momentum = defineOptimizer("MomentumOfTest", {
  options: { learningRate: 0.05, share: 0.9 },
  slots: { velocity: 0 },
  update: ({ weight, gradient, rate, slots }, { share }) => {
    const velocity = tf.sub(tf.mul(slots.velocity, share), tf.mul(gradient, rate));
    return { weight: tf.add(weight, velocity), velocity };
  },
});

/** A class of the user's: plain descent by its number, counted where the class says. */
class Descent extends tf.Optimizer {
  static readonly className: string = "Descent";
  learningRate = 0.05;
  steps = 0;
  readonly counts: "not" | "in JavaScript" | "by iterations";

  constructor(counts: Descent["counts"] = "not") {
    super();
    this.counts = counts;
  }

  override applyGradients(gradients: tf.NamedTensorMap): void {
    if (this.counts === "in JavaScript") this.steps += 1;
    const factor = this.counts === "by iterations" ? 1 / (this.iterations + 1) : 1;
    for (const [name, gradient] of Object.entries(gradients)) {
      const variable = tf.engine().registeredVariables[name]!;
      variable.assign(tf.sub(variable, tf.mul(gradient, this.learningRate * factor)));
    }
    this.incrementIterations();
  }

  getConfig(): tf.serialization.ConfigDict {
    return { learningRate: this.learningRate };
  }
}

const splits = { name: "small", train: data };
const schedule = { name: "cosine" } as const;

async function trained(optimizer: TrainOptions["optimizer"], more: Partial<TrainOptions> = {}): Promise<number[]> {
  const model = network();
  await train({ model, data: splits, epochs: 3, batch: 5, optimizer, schedule, restoreBest: false, ...more });
  return weightsOf(model);
}

function weightsOf(model: LayersModel): number[] {
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  wanted.forEach((value, i) => expect(got[i], `weight ${i}`).toBeCloseTo(value, 6));
}

describe.each([false, true])("in train(), eager: %s", (eager) => {
  const execution = { eager };

  test("an optimizer of defineOptimizer trains as the built-in of its formula, with a schedule", async () => {
    const wanted = await trained({ name: "momentum", learningRate: 0.05 }, { execution });
    expectClose(await trained(momentum(), { execution }), wanted);
    expectClose(await trained(momentum(), { execution, stepsPerCall: 2 }), wanted);
  });

  test("a class of the user's trains with a schedule", async () => {
    const wanted = await trained({ name: "sgd", learningRate: 0.05 }, { execution });
    const optimizer = new Descent();
    expectClose(await trained(optimizer, { execution, stepsPerCall: 2 }), wanted);
    expect(optimizer.iterations).toBe(6);
  });

  test("tfjs' own optimizers train with a schedule", async () => {
    const wanted = await trained({ name: "sgd", learningRate: 0.05 }, { execution });
    expectClose(await trained(tf.train.sgd(0.05), { execution }), wanted);
  });
});

describe.runIf(engines.includes("native"))("what a compiled step would freeze is refused", () => {
  test.each([
    ["in JavaScript", /Descent counts in JavaScript \(steps\).*defineOptimizer/],
    ["by iterations", /Descent reads iterations in its update/],
  ] as const)("counted %s", async (counts, message) => {
    await expect(trained(new Descent(counts))).rejects.toThrow(message);
  });
});

test("a run with checkpoints needs an optimizer that can be saved, and resumes one with the same bits", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convkit-own-"));
  try {
    await expect(trained(new Descent(), { out: join(folder, "no") })).rejects.toThrow(/lacks getWeights or setWeights/);
    const out = join(folder, "run");
    const execution = { deterministic: true };
    const whole = await trained(momentum(), { execution, schedule: undefined });
    await trained(momentum(), { execution, schedule: undefined, out, epochs: 1 });
    expect(await trained(momentum(), { execution, schedule: undefined, out, resume: true })).toEqual(whole);
    await expect(
      trained(momentum({ share: 0.5 }), { execution, schedule: undefined, out, epochs: 4, resume: true }),
    ).rejects.toThrow(/expected optimizer .*0\.9.* got .*0\.5/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("an optimizer without a number as learningRate is refused", async () => {
  const optimizer = Object.assign(new Descent(), { learningRate: undefined as unknown as number });
  await expect(trained(optimizer)).rejects.toThrow(/expected the optimizer Descent to have its learning rate/);
});
