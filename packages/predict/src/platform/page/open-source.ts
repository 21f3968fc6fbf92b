import { OptionError } from "@convkit/errors";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { PredictError } from "../../predict-error.ts";
import type { PredictorOptions } from "../../predictor-options.ts";
import { isEngineRuntime, isOnnxRuntime, onnxRuntimes } from "../../runtimes/runtime-names.ts";
import { layersPart } from "../../sources/layers-part.ts";
import { loadLayers } from "../../sources/load-layers.ts";
import { checkEngineRuntime, openOnEngine } from "../../sources/open-on-engine.ts";
import { withOwnModel } from "../../sources/own-model.ts";
import type { OpenedModel, Opening } from "../../sources/opened-model.ts";
import type { OpenableSource } from "../../sources/predictor-source.ts";

/** Opens a model, the address of one, or the bytes of a model's file, on the page's engine in use. */
export async function openSource(
  source: OpenableSource,
  options: PredictorOptions,
  opening: Opening,
): Promise<OpenedModel> {
  const { runtime, execution } = options;
  if (runtime === "tensorflow" || (runtime !== undefined && isOnnxRuntime(runtime)))
    throw new PredictError(
      `The runtime ${runtime} is a library of Node, which no web page can load: leave the runtime out, or take auto, webgpu, webgl or wasm.`,
    );
  if (runtime === "auto" && execution !== undefined)
    throw new OptionError("predictor: expected no execution with the runtime auto: leave the runtime out.");
  if (typeof source !== "string" && !(source instanceof Uint8Array)) return openLayers(source, options, opening);
  const model = await loadLayers(source, options);
  return withOwnModel(model, options.network, () => openLayers(model, options, opening));
}

async function openLayers(whole: LayersModel, options: PredictorOptions, { part }: Opening): Promise<OpenedModel> {
  const { runtime } = options;
  const { model, preprocessing, about } = await layersPart(whole, options, part);
  await checkEngineRuntime(runtime !== undefined && isEngineRuntime(runtime) ? runtime : undefined);
  const reason = "no web page can load it";
  const trials = runtime === "auto" ? onnxRuntimes.map((each) => ({ runtime: each, reason })) : [];
  return { ...(await openOnEngine(model, options, preprocessing, trials)), ...about };
}
