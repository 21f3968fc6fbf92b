import type { Batch } from "@convkit/datasets";
import { checkBatch, checkRead } from "../step/data-checks.ts";
import type { EpochLogs } from "../run/history.ts";
import type { Session } from "./run-state.ts";

/** Pixels that a batch of validation images may have: large enough that calls do not count, small enough for any memory. */
const testPixels = 1 << 20;

/** One pass over the training data, or what a resumed run has left of it; undefined where it was interrupted. */
export async function trainEpoch(
  run: Session,
  afterStep: () => Promise<void> | undefined,
): Promise<Omit<EpochLogs, "seconds"> | undefined> {
  const { data, batch, seed, hooks, runner, weighting } = run.parts;
  const epoch = run.epoch + 1;
  run.beginEpoch();
  await hooks.call("onEpochBegin", epoch, run);
  const batches = data.train.batches({ batch, seed, shuffle: true, epoch: run.epoch, skip: run.batchesTaken });
  const iterator = batches[Symbol.asyncIterator]();
  const groups = grouped(iterator, run.parts.stepsPerCall);
  let next = ahead(groups);
  let ended = false;
  try {
    while (run.stopReason === undefined && !run.interrupted) {
      const item = await run.timed("data", () => next);
      if (item.done === true) {
        ended = true;
        break;
      }
      const group = item.value;
      for (const each of group) checkBatch(each, data.train);
      const learningRates = group.map((_, place) => run.learningRateIn(place));
      for (let place = 0; place < group.length; place += 1)
        await hooks.call("onTrainBatchBegin", run.batchesDone + place, run);
      const began = performance.now();
      const running = runner.train(group, { learningRates, step: run.step, weights: weighting });
      // The next batches are made while TensorFlow is busy with these.
      next = ahead(groups);
      const results = await running;
      if (results === undefined) {
        await run.diverge(group);
        return undefined;
      }
      const images = group.reduce((sum, { labels }) => sum + labels.length, 0);
      run.endCall(images, (performance.now() - began) / 1000);
      for (const [place, { loss, correct }] of results.entries()) {
        const size = group[place]!.labels.length;
        const lr = learningRates[place]!;
        run.endStep(size, loss, correct, lr, group[place]!.place);
        const { sums } = run;
        await hooks.call(
          "onTrainBatchEnd",
          run.batchesDone - 1,
          {
            epoch,
            batch: run.batchesDone,
            size,
            stepLoss: loss,
            loss: sums.loss / sums.images,
            accuracy: sums.correct / sums.images,
            lr,
            imagesPerSecond: run.imagesPerSecond,
          },
          run,
        );
      }
      for (const each of group) each.release?.();
      await afterStep();
    }
  } finally {
    await iterator.return?.();
  }
  // Fewer batches than planned come where no image of one can be read.
  if (run.interrupted || (!ended && run.batchesDone < run.stepsPerEpoch)) return undefined;
  checkRead(run.sums.images, data.train);
  return {
    epoch,
    loss: run.sums.loss / run.sums.images,
    accuracy: run.sums.correct / run.sums.images,
    lr: run.lastLearningRate,
  };
}

/** Loss and accuracy on the validation data, where there is any; undefined where it was interrupted. */
export async function testEpoch(run: Session): Promise<Pick<EpochLogs, "valLoss" | "valAccuracy"> | undefined> {
  const { data, hooks, runner } = run.parts;
  const set = data.validation;
  if (set === undefined) return {};
  return run.timed("validation", async () => {
    await hooks.call("onTestBegin", run);
    let lossSum = 0;
    let correctSum = 0;
    let images = 0;
    let index = 0;
    for await (const batch of set.batches({ batch: testBatch(run.parts.batch, set.shape) })) {
      if (run.interrupted) return undefined;
      await hooks.call("onTestBatchBegin", index, run);
      const { loss, correct } = await runner.test(batch);
      lossSum += loss * batch.labels.length;
      correctSum += correct;
      images += batch.labels.length;
      batch.release?.();
      await hooks.call("onTestBatchEnd", index, run);
      index += 1;
    }
    checkRead(images, set);
    const logs = { loss: lossSum / images, accuracy: correctSum / images };
    await hooks.call("onTestEnd", logs, run);
    return { valLoss: logs.loss, valAccuracy: logs.accuracy };
  });
}

/** How many images to test at once: at least the training's batch, more where they are small. */
export function testBatch(batch: number, [height, width]: readonly [number, number, number]): number {
  return Math.max(batch, Math.min(500, Math.floor(testPixels / (height * width))));
}

/** Batches in groups of `size`; what does not fill a group, and a last smaller batch, come one by one. */
async function* grouped(batches: AsyncIterator<Batch>, size: number): AsyncGenerator<Batch[]> {
  let group: Batch[] = [];
  for (;;) {
    const item = await batches.next();
    const fits = item.done !== true && (group.length === 0 || group[0]!.labels.length === item.value.labels.length);
    if (!fits) {
      for (const batch of group) yield [batch];
      group = [];
    }
    if (item.done === true) return;
    group.push(item.value);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
}

/** Asks for the next batches; a failure waits for whoever awaits it. */
function ahead(groups: AsyncIterator<Batch[]>): Promise<IteratorResult<Batch[]>> {
  const next = groups.next();
  next.catch(() => {});
  return next;
}
