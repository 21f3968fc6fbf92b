import { readyEngine } from "@convkit/predict/platform";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import type { PredictorOptions } from "../predictor-options.ts";

/**
 * Loads the model of a path or of a file's bytes: whatever `loadModel` of @convkit/weights reads, or the weights of `network`. Where no
 * engine is in use, one is.
 */
export async function loadLayers(
  source: string | Uint8Array,
  { network, runtime }: PredictorOptions,
): Promise<LayersModel> {
  await readyEngine(runtime);
  const { loadModel, loadWeights } = await import("@convkit/weights");
  if (network === undefined) return loadModel(source);
  const model = typeof network === "string" ? await createNetwork(network) : network;
  try {
    await loadWeights(model, source);
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
