import { once } from "node:events";
import process from "node:process";
import { Worker } from "node:worker_threads";

/** Uses the native engine in worker threads with the numbers of threads that the environment names; prints a line of JSON for each. */
const source = `
const { parentPort, workerData } = require("node:worker_threads");
(async () => {
  (await import("tsx/esm/api")).register();
  const { useEngine } = await import(workerData.engine);
  const tf = await import("@tensorflow/tfjs-core");
  try {
    const { threads } = await useEngine("native", { threads: workerData.threads });
    await tf.conv2d(tf.ones([8, 32, 32, 16]), tf.ones([3, 3, 16, 16]), 1, "same").data();
    // TensorFlow's threads name themselves when they first run, which may be a while after they were made.
    const { readdirSync, readFileSync } = require("node:fs");
    const names = () => readdirSync("/proc/self/task").map((task) => readFileSync("/proc/self/task/" + task + "/comm", "utf8").trim());
    const running = () => names().filter((name) => name === "tf_Compute").length;
    for (let waits = 0; running() < threads && waits < 300; waits++) await new Promise((done) => setTimeout(done, 10));
    parentPort.postMessage({ threads, running: running() });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
})();
`;
for (const threads of process.env["THREADS"]!.split(",").map(Number)) {
  const workerData = { threads, engine: new URL("../../src/index.ts", import.meta.url).href };
  const worker = new Worker(source, { eval: true, workerData });
  const [answer] = (await once(worker, "message")) as [object];
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
