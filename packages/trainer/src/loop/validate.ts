import type { EpochLogs } from "../run/history.ts";
import { checkRead } from "../step/data-checks.ts";
import { testBatch } from "../step/test-batch.ts";
import { isInterrupted, type Run } from "./run.ts";
import type { TestBatch } from "./validation-test.ts";

/** Loss and accuracy on the validation data; undefined without validation data, or if it was interrupted. */
export async function validate(
  run: Run,
  test: TestBatch,
): Promise<Pick<EpochLogs, "valLoss" | "valAccuracy"> | undefined> {
  const { settings, callbacks, clock, training } = run;
  const data = settings.data.validation;
  if (data === undefined) return {};
  return clock.timed("validation", async () => {
    await callbacks.call("onTestBegin", training);
    let [lossSum, correctSum, images, index] = [0, 0, 0, 0];
    for await (const batch of data.batches({ batch: testBatch(settings.batch, data.shape) })) {
      if (isInterrupted(run)) return undefined;
      await callbacks.call("onTestBatchBegin", index, training);
      const { loss, correct } = await test(batch);
      lossSum += loss * batch.labels.length;
      correctSum += correct;
      images += batch.labels.length;
      batch.release?.();
      await callbacks.call("onTestBatchEnd", index, training);
      index += 1;
    }
    checkRead(images, data);
    const logs = { loss: lossSum / images, accuracy: correctSum / images };
    await callbacks.call("onTestEnd", logs, training);
    return { valLoss: logs.loss, valAccuracy: logs.accuracy };
  });
}
