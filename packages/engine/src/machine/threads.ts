import os from "node:os";
import process from "node:process";

import { nativeVariable, setNativeVariable } from "./native-environment.ts";

/**
 * The thread count that TensorFlow will take, or has taken if `useEngine` has loaded it: from its environment, else every core.
 */
export function threadsOf(env?: NodeJS.ProcessEnv): number {
  const wanted = Number(env === undefined ? nativeVariable("TF_NUM_INTRAOP_THREADS") : env["TF_NUM_INTRAOP_THREADS"]);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : os.availableParallelism();
}

/** TensorFlow reads these when its addon is loaded, not later. */
export function setTensorflowEnvironment(threads?: number): void {
  if (threads !== undefined) {
    for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"])
      setNativeVariable(name, String(threads));
  }
  const defaults = { TF_CPP_MIN_LOG_LEVEL: "2", TF_FORCE_GPU_ALLOW_GROWTH: "true" };
  for (const [name, value] of Object.entries(defaults))
    if (process.env[name] === undefined && nativeVariable(name) === undefined) setNativeVariable(name, value);
}
