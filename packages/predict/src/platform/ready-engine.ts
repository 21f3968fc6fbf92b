import type { PredictorOptions } from "../predictor-options.ts";
import { onnxRuntimes } from "../runtimes/runtime-names.ts";
import { runtimeVersion } from "../runtimes/runtime.ts";

/**
 * Where no engine is in use, takes one: wasm beside OpenVINO or ONNX Runtime, which compute the predictions, else the best that is
 * installed.
 */
export async function readyEngine(runtime: PredictorOptions["runtime"]): Promise<void> {
  const tf = await import("@tensorflow/tfjs-core");
  if (Object.keys(tf.engine().registryFactory).length > 0) return;
  const { useEngine } = await import("@convkit/engine");
  const versions = await Promise.all(onnxRuntimes.map(runtimeVersion));
  const isComputedElsewhere = runtime !== "tensorflow" && versions.some((version) => version !== undefined);
  await useEngine(runtime === "wasm" || isComputedElsewhere ? "wasm" : "auto");
}
