import type { ModelMetadata } from "@convkit/core/plain";

import type { PredictorOptions } from "../predictor-options.ts";
import type { OpenableSource } from "./predictor-source.ts";

/** A model as an ONNX file, and what it carries. */
export async function onnxOf(
  source: OpenableSource,
  options: PredictorOptions = {},
): Promise<{ readonly bytes: Uint8Array; readonly metadata: ModelMetadata }> {
  if (source instanceof Uint8Array || (typeof source === "string" && /\.onnx$/i.test(source))) {
    const { bytesOf, onnxFile } = await import("./open-onnx.ts");
    const { file, metadata } = await onnxFile(source);
    return { bytes: await bytesOf(file), metadata };
  }
  const { loadLayers } = await import("./load-layers.ts");
  const { modelMetadata } = await import("@convkit/core/plain");
  const { onnxBytes } = await import("@convkit/weights");
  const model = typeof source === "string" ? await loadLayers(source, options) : source;
  try {
    return { bytes: onnxBytes(model), metadata: modelMetadata(model) };
  } finally {
    if (typeof source === "string" && model !== options.network) model.dispose();
  }
}
