import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { loadData } from "convkit";

// Two workers, each with its own model; the main thread stays free for requests.
const workers = Array.from({ length: 2 }, () => new Worker(new URL("worker.mjs", import.meta.url)));
await Promise.all(workers.map((worker) => once(worker, "message")));

const { test } = await loadData("mnist", { limit: 64 });
const batches = test.batches({ batch: 16 })[Symbol.asyncIterator]();
const classes = [];

/** Gives a worker one batch after the other. */
async function feed(worker) {
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    const { images, shape } = next.value;
    const pixels = images.slice();
    worker.postMessage({ data: pixels, shape }, [pixels.buffer]); // moved, not copied
    const [answer] = await once(worker, "message");
    classes.push(...answer);
  }
}
await Promise.all(workers.map(feed));
console.log(
  `${classes.length} answers of ${workers.length} workers; all are digits: ${classes.every((c) => c >= 0 && c < 10)}`,
);
// They end by themselves: terminate() may strike in the middle of a call into TensorFlow.
const ends = workers.map((worker) => once(worker, "exit"));
for (const worker of workers) worker.postMessage("end");
await Promise.all(ends);
