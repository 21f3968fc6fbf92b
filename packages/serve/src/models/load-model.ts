import { existsSync } from "node:fs";
import path from "node:path";
import { isPredictOnly } from "@convkit/predict/internal";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { ModelWithImages } from "./model-source.ts";

/** Loads a model file, or the best model of a run directory; gives the path of a model that only predicts. */
export async function loadModelAt(source: string): Promise<LayersModel | ModelWithImages> {
  if (isPredictOnly(source)) return { model: source };
  const { loadModel, WeightsError } = await import("@convkit/weights");
  const ofRun = path.join(source, "model", "model.json");
  try {
    return await loadModel(existsSync(ofRun) ? ofRun : source);
  } catch (error) {
    // OpenVINO and ONNX Runtime run operators that are no layers, as those of an int8 network.
    if (error instanceof WeightsError && /\.onnx$/i.test(source)) return { model: source };
    throw error;
  }
}
