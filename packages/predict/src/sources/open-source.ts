import { existsSync } from "node:fs";
import { shown } from "@convkit/errors";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { PredictError } from "../predict-error.ts";
import type { PredictorOptions } from "../predictor-options.ts";
import type { OpenedModel, Opening } from "./opened-model.ts";
import { isEngineRuntime } from "../runtimes/runtime-names.ts";
import { withOwnModel } from "./own-model.ts";
import { isPredictOnly } from "./predict-only.ts";
import type { OpenableSource } from "./predictor-source.ts";

/** Opens a model, the path of one, or the bytes of an ONNX file. */
export async function openSource(
  source: OpenableSource,
  options: PredictorOptions,
  opening: Opening,
): Promise<OpenedModel> {
  if (source instanceof Uint8Array || (typeof source === "string" && runsAsOnnx(source, options))) {
    const { openOnnxFile } = await import("./open-onnx.ts");
    const opened = await openOnnxFile(source, options, opening);
    if (!("missing" in opened)) return opened;
    // tfjs' engines read the file's layers.
    if (typeof source !== "string") throw new PredictError(opened.missing);
  }
  if (typeof source === "string" && !existsSync(source)) {
    throw new PredictError(
      `Expected a model such as createModel or \`await loadModel\` gives, or the path of one, got ${shown(source)}, which is not there.`,
    );
  }
  if (typeof source === "string" && isPredictOnly(source) && options.network === undefined) {
    const { openSavedModel } = await import("./open-saved-model.ts");
    return openSavedModel(source, options, opening);
  }
  const { openLayers } = await import("./open-layers.ts");
  if (typeof source !== "string") return openLayers(source as LayersModel, options, opening);
  const { loadLayers } = await import("./load-layers.ts");
  const model = await loadLayers(source, options);
  const { execution, runtime = execution === undefined ? "auto" : undefined } = options;
  return withOwnModel(model, options.network, () => openLayers(model, { ...options, runtime }, opening));
}

function runsAsOnnx(path: string, { runtime, execution, network }: PredictorOptions): boolean {
  const isOnEngine = (runtime !== undefined && isEngineRuntime(runtime)) || execution !== undefined;
  return /\.onnx$/i.test(path) && !isOnEngine && network === undefined;
}
