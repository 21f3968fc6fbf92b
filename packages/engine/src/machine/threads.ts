import os from "node:os";
import process from "node:process";

/** The thread count that TensorFlow will take: from its environment, else every core. */
export function threadsOf(env: NodeJS.ProcessEnv = process.env): number {
  const wanted = Number(env["TF_NUM_INTRAOP_THREADS"]);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : os.availableParallelism();
}

/** TensorFlow reads these when its addon is loaded, not later. */
export function setTensorflowEnvironment(threads?: number): void {
  if (threads !== undefined) {
    for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"])
      process.env[name] = String(threads);
  }
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  process.env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";
}
