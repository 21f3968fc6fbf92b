import type { LayersModel } from "@tensorflow/tfjs-layers";

import type { PredictorOptions } from "../predictor-options.ts";
import { onnxRuntimes, runtimeVersion } from "../runtimes/runtime.ts";

/**
 * Loads the model of a path: any file or folder that `loadModel` of @convkit/weights reads, or the weights of `network`. Where no
 * engine is in use, one is: wasm beside OpenVINO or ONNX Runtime, which compute the predictions, else the best that is installed.
 */
export async function loadLayers(path: string, { network, runtime }: PredictorOptions): Promise<LayersModel> {
  await readyEngine(runtime);
  const { loadModel, loadWeights } = await import("@convkit/weights");
  if (network === undefined) return loadModel(path);
  const model = typeof network === "string" ? await createNetwork(network) : network;
  try {
    await loadWeights(model, path);
    return model;
  } catch (error) {
    if (typeof network === "string") model.dispose();
    throw error;
  }
}

async function createNetwork(name: string): Promise<LayersModel> {
  const { withoutDrawing } = await import("@convkit/core");
  const { createModel, findArchitecture } = await import("@convkit/models");
  // Throws for an unknown name and lists the zoo's.
  findArchitecture(name);
  return withoutDrawing(() => createModel(name as Parameters<typeof createModel>[0]));
}

async function readyEngine(runtime: PredictorOptions["runtime"]): Promise<void> {
  const tf = await import("@tensorflow/tfjs-core");
  if (Object.keys(tf.engine().registryFactory).length > 0) return;
  const { useEngine } = await import("@convkit/engine");
  const versions = await Promise.all(onnxRuntimes.map(runtimeVersion));
  const isComputedElsewhere = runtime !== "tensorflow" && versions.some((version) => version !== undefined);
  await useEngine(runtime === "wasm" || isComputedElsewhere ? "wasm" : "auto");
}
