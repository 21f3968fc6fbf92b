import { readFileSync } from "node:fs";
import type { Target } from "@convkit/datasets";
import { type EngineName, useEngine } from "@convkit/engine";
import { executable } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Loss } from "../src/objective/loss.ts";
import { outputLoss } from "../src/objective/objective.ts";
import type { OutputTask } from "../src/objective/output-tasks.ts";
import { noteDifference, wayOf } from "./differences.ts";
import { metricOf, type MetricPlan } from "../src/metrics/named-metrics.ts";

interface Golden {
  readonly losses: {
    readonly shape: [number, number];
    readonly outputs: Readonly<Record<string, number[]>>;
    readonly targets: Readonly<Record<string, number[]>>;
    readonly weights: Readonly<Record<string, number[] | null>>;
    readonly cases: readonly LossCase[];
  };
  readonly metrics: {
    readonly data: Readonly<
      Record<string, { shape: number[]; truth: number[]; predicted: number[]; scores: number[] }>
    >;
    readonly cases: readonly { kind: string; plan: MetricPlan; values: number[] }[];
  };
}

interface LossCase {
  readonly plan: Loss;
  readonly kind: Target["kind"];
  readonly target: string;
  readonly output: string;
  readonly end: "softmax" | "sigmoid" | null;
  readonly weights: string;
  readonly value: number;
  /** Null where Keras has no gradient. */
  readonly gradient: readonly (number | null)[];
}

const golden = JSON.parse(readFileSync(new URL("golden/objectives.json", import.meta.url), "utf8")) as Golden;

/** Losses with their gradients and metrics against Keras' and scikit-learn's numbers, op by op and compiled. */
export function testObjectives(engine: EngineName): void {
  beforeAll(async () => {
    await useEngine(engine);
    // In tests tfjs takes what an op keeps for its gradient for a leak.
    tf.env().set("IS_TEST", false);
  });
  const ways = engine === "wasm" ? [true] : [true, false];

  describe.each(ways)(`losses (${engine}, op by op: %s)`, (eager) => {
    const { shape, outputs, targets, weights, cases } = golden.losses;
    test.each(
      cases.map((each) => [`${JSON.stringify(each.plan)} ${each.kind} ${each.output} ${each.weights}`, each] as const),
    )("%s", async (_title, { plan, kind, target, output, end, weights: weighting, value, gradient }) => {
      const task = { kind, loss: plan } as OutputTask;
      const ofImages = weights[weighting] ?? undefined;
      const run = executable(
        (x, y, w) => {
          const made = tf.valueAndGrad((values: tf.Tensor) =>
            outputLoss(
              task,
              y!,
              { values: values as tf.Tensor2D, areLogits: end !== null, ...(end !== null && { activation: end }) },
              w,
            ),
          )(x!);
          return [made.value, made.grad];
        },
        { eager },
      );
      const isClass = target === "labels";
      const [got, slope] = await run.run([
        { data: Float32Array.from(outputs[output]!), shape },
        isClass
          ? { data: Int32Array.from(targets[target]!), shape: [shape[0]] }
          : { data: Float32Array.from(targets[target]!), shape },
        ...(ofImages === undefined ? [] : [{ data: Float32Array.from(ofImages), shape: [shape[0]] }]),
      ]);
      await run.dispose();
      const near = (a: number, b: number) => Math.abs(a - b) / Math.max(1, Math.abs(b));
      const largest = Math.max(
        near(got!.data[0]!, value),
        ...gradient.map((each, place) => (each === null ? 0 : near(slope!.data[place]!, each))),
      );
      noteDifference({ table: "losses", name: plan.name, way: wayOf(engine, eager), largest });
      expect(
        largest,
        `${got!.data[0]} against ${value}; ${slope!.data.join()} against ${gradient.join()}`,
      ).toBeLessThan(2e-5);
    });
  });

  describe.each(ways)(`metrics (${engine}, op by op: %s)`, (eager) => {
    test.each(golden.metrics.cases.map((each) => [`${JSON.stringify(each.plan)} ${each.kind}`, each] as const))(
      "%s",
      async (_title, { kind, plan, values }) => {
        const { shape, truth, predicted, scores } = golden.metrics.data[kind]!;
        const metric = metricOf(plan);
        const run = executable((y, p) => [metric.statistics?.(y!, p!) ?? [y!, p!]].flat() as tf.Tensor[], { eager });
        const count = shape[0]!;
        const isWhole = kind === "class" || kind === "mask";
        const part = (all: readonly number[], from: number, to: number) =>
          all.slice((all.length / count) * from, (all.length / count) * to);
        // Two batches, after one that is forgotten.
        const half = count / 2;
        for (const [from, to] of [
          [0, half],
          [0, half],
          [half, count],
        ] as const) {
          if (from === 0) metric.reset();
          const yTrue = part(truth, from, to);
          const feeds = [
            { data: isWhole ? Int32Array.from(yTrue) : Float32Array.from(yTrue), shape: [half, ...shape.slice(1)] },
            { data: Float32Array.from(part(scores, from, to)), shape: [half, ...predicted.slice(1)] },
          ];
          metric.update(...(await run.run(feeds)));
        }
        await run.dispose();
        const resumed = metricOf(plan);
        resumed.restore?.(JSON.parse(JSON.stringify(metric.state?.())));
        expect(resumed.result()).toEqual(metric.result());
        const result = metric.result();
        const got = typeof result === "number" ? [result] : Object.values(result);
        expect(got).toHaveLength(values.length);
        const largest = Math.max(
          ...values.map((value, place) => Math.abs(got[place]! - value) / Math.max(1, Math.abs(value))),
        );
        noteDifference({ table: "metrics", name: plan.name, way: wayOf(engine, eager), largest });
        expect(largest, `${got.join()} against ${values.join()}`).toBeLessThan(5e-6);
      },
    );
  });
}
