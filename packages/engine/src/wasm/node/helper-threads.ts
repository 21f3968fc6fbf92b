import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Helpers } from "../helpers.ts";

/**
 * Source of a helper thread, which serves the kernels until the process ends. A string, since Node cannot run a
 * TypeScript worker.
 */
const source = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, control, thread } = workerData;
const { serve } = new WebAssembly.Instance(module, { env: { memory } }).exports;
parentPort.postMessage("ready");
serve(control, thread);
`;

/**
 * Starts `count` threads that take their share of each job; they do not keep the process alive. Returns a function
 * that ends them.
 */
export async function startHelpers(count: number, { module, memory, control }: Helpers): Promise<() => void> {
  const workers = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const workerData = { module, memory, control, thread: index + 1 };
      const worker = new Worker(source, { eval: true, workerData, execArgv: [] });
      await once(worker, "message");
      worker.unref();
      return worker;
    }),
  );
  return () => workers.forEach((worker) => void worker.terminate());
}
