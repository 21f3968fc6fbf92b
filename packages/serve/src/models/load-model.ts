import { existsSync } from "node:fs";
import path from "node:path";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** Loads a model file, or the best model of a run directory. */
export async function loadModelAt(source: string): Promise<LayersModel> {
  const { loadModel } = await import("@convkit/weights");
  const ofRun = path.join(source, "model", "model.json");
  return loadModel(existsSync(ofRun) ? ofRun : source);
}
