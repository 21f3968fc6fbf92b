import type { EpochLogs } from "../run/history.ts";
import { hasAccuracy } from "../objective/output-tasks.ts";
import { checkRead } from "../step/data-checks.ts";
import { testBatch } from "../step/test-batch.ts";
import { batchesOf } from "../workers/worker-part.ts";
import { isInterrupted, type Run } from "./run.ts";
import type { TestBatch } from "./validation-test.ts";

/** Loss, accuracy and metrics on the validation data; undefined without validation data, or if it was interrupted. */
export async function validate(
  run: Run,
  test: TestBatch,
): Promise<Pick<EpochLogs, "valLoss" | "valAccuracy" | "metrics"> | undefined> {
  const { settings, callbacks, clock, training } = run;
  const { metrics, tasks } = run.parts;
  const data = settings.data.validation;
  if (data === undefined) return {};
  return clock.timed("validation", async () => {
    await callbacks.call("onTestBegin", training);
    metrics.reset();
    let [lossSum, correctSum, images, index] = [0, 0, 0, 0];
    const { validationSteps, batch: size, seed } = settings;
    const drawn =
      validationSteps === undefined ? { batch: testBatch(size, data.shape) } : { batch: size, shuffle: true, seed };
    const { workers } = run;
    for await (const batch of batchesOf(data, drawn, workers?.worker)) {
      if (isInterrupted(run)) return undefined;
      await callbacks.call("onTestBatchBegin", index, training);
      const result = await test(batch);
      for (const part of result.statistics) metrics.update(part);
      lossSum += result.loss * result.images;
      correctSum += result.correct;
      images += result.images;
      workers?.note([result]);
      batch.release?.();
      await callbacks.call("onTestBatchEnd", index, training);
      index += 1;
      if (index === validationSteps) break;
    }
    checkRead(images, data);
    const { accuracy: own, ...results } = metrics.results();
    metrics.reset();
    const accuracy = hasAccuracy(tasks[0]!) ? correctSum / images : own;
    const logs = { loss: lossSum / images, ...(accuracy !== undefined && { accuracy }) };
    await callbacks.call("onTestEnd", logs, training);
    const named = Object.entries(results).map(([name, value]) => [`val_${name}`, value] as const);
    return {
      valLoss: logs.loss,
      ...(accuracy !== undefined && { valAccuracy: accuracy }),
      ...(named.length > 0 && { metrics: Object.fromEntries(named) }),
    };
  });
}
