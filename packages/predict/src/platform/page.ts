import { PredictError } from "../predict-error.ts";
import type { PredictorOptions } from "../predictor-options.ts";
import type { PageRuntimeName } from "../runtimes/runtime-names.ts";

export { imageFile } from "./page/image-file.ts";
export { openSource } from "./page/open-source.ts";

/** Throws a PredictError: OpenVINO and ONNX Runtime, which measure and run int8 networks, are libraries of Node. */
export async function quantizeNetwork(): Promise<never> {
  throw new PredictError("quantize needs OpenVINO or ONNX Runtime, which no web page can load: quantize in Node.");
}

/** Where no engine is in use, takes the one that was asked for, else the best of the page. */
export async function readyEngine(runtime: PredictorOptions["runtime"]): Promise<void> {
  const tf = await import("@tensorflow/tfjs-core");
  if ((tf.getBackend() ?? "") !== "") return;
  const { useEngine } = await import("@convkit/engine");
  // `openSource` refuses the runtimes of Node before it comes to this.
  await (runtime === undefined || runtime === "auto" ? useEngine() : useEngine(runtime as PageRuntimeName | "wasm"));
}

/** Undefined: no page has TensorFlow's graphs. */
export async function engineThreads(): Promise<undefined> {}
