import type { Batch } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";
import type { MetricSet } from "../metrics/metric-set.ts";
import { correctCount } from "../objective/objective.ts";
import { runtimeForward } from "@convkit/trainer/platform";
import type { Forward } from "../step/runtime-forward.ts";
import type { BatchResult } from "../step/batch-result.ts";
import { asksToEnd, type Run } from "./run.ts";

/** Judges a validation batch. */
export type TestBatch = (batch: Batch) => Promise<BatchResult>;

/** Runs `fn` with the test of validation batches: on the engine, or on a copy of the model in `validationRuntime`. */
export async function withValidationTest<T>(run: Run, fn: (test: TestBatch) => Promise<T>): Promise<T> {
  const { runner, settings, parts, clock } = run;
  const { validationRuntime: runtime, data, preprocessing, tasks } = settings;
  if (runtime === undefined || data.validation === undefined) return fn((batch) => runner.test(batch, asksToEnd(run)));
  const forward = await clock.timed("validation", async () => {
    await runner.sync();
    return runtimeForward(parts.model, { runtime, preprocessing, task: tasks[0]!, mirror: false });
  });
  try {
    return await fn((batch) => testBatchOn(forward, batch, parts.metrics));
  } finally {
    run.state.validationRuntime = forward.runtime() ?? run.state.validationRuntime;
    await forward.dispose();
  }
}

async function testBatchOn(
  forward: Forward,
  { images, shape, labels }: Batch,
  metrics: MetricSet,
): Promise<BatchResult> {
  const { loss, probabilities } = await forward.run({ data: images, shape }, labels);
  return tf.tidy(() => {
    const values = tf.tensor2d(probabilities, [labels.length, probabilities.length / labels.length]);
    const yTrue = tf.tensor1d(labels, "int32");
    const correct = correctCount(yTrue, { values, areLogits: false }).dataSync()[0]!;
    const statistics = metrics
      .statistics(() => ({ yTrue, yPred: values }))
      .map((each) => ({ data: each.dataSync<"float32">().slice(), shape: each.shape }));
    return { loss, correct, images: labels.length, asked: false, statistics: [statistics] };
  });
}
