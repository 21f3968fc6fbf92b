import { OptionError } from "@convkit/errors";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { chooseRuntime } from "../choose-runtime.ts";
import type { PredictorDescription, PredictorOptions } from "../predictor-options.ts";
import { checkFeeds } from "../runtimes/check-feeds.ts";
import { isEngineRuntime, isOnnxRuntime, onnxRuntimes } from "../runtimes/runtime-names.ts";
import { layersPart } from "./layers-part.ts";
import { checkEngineRuntime, openOnEngine } from "./open-on-engine.ts";
import { openedModel, prepared, refusal, type Opening, type OpenedModel } from "./opened-model.ts";
import { sampleFeeds } from "./sample-feeds.ts";

/** Opens a layers model: a copy in OpenVINO or ONNX Runtime, or the model itself on the engine in use. */
export async function openLayers(
  whole: LayersModel,
  options: PredictorOptions,
  { feeds, part, spins }: Opening,
): Promise<OpenedModel> {
  const { runtime } = options;
  const { model, preprocessing, about } = await layersPart(whole, options, part);
  const onEngine = (trials: PredictorDescription["trials"]) => openOnEngine(model, options, preprocessing, trials);
  if (runtime === undefined || isEngineRuntime(runtime)) {
    await checkEngineRuntime(runtime);
    return { ...(await onEngine([])), ...about };
  }
  if (options.execution !== undefined) {
    throw new OptionError(
      `predictor: expected no execution with the runtime ${runtime}, since it is for tfjs' engines; give precision and threads beside runtime.`,
    );
  }
  const { precision = "float32", threads } = options;
  const { openTfjs } = await import("../runtimes/tfjs-session.ts");
  const among = runtime === "auto" ? onnxRuntimes : [runtime];
  const written = await writtenAsOnnx(model);
  if (typeof written === "string") {
    if (isOnnxRuntime(runtime)) throw refusal(runtime, written);
    return { ...(await onEngine(among.map((each) => ({ runtime: each, reason: written })))), ...about };
  }
  const own = openTfjs(model, { eager: true });
  try {
    const inputs = (feeds ?? sampleFeeds(own.inputs, about.metadata.images?.size)).map((feed) =>
      prepared(feed, preprocessing),
    );
    // A wrong first call must not count against a runtime.
    checkFeeds(own.inputs, inputs);
    const choice = await chooseRuntime({
      file: written,
      options: { precision, threads, spins },
      feeds: inputs,
      own: (drawn) => own.run(drawn),
      among,
    });
    const { session, trials } = choice;
    if (session !== undefined)
      return { ...openedModel(session, preprocessing, { runtime: choice.runtime!, precision, trials }), ...about };
    if (isOnnxRuntime(runtime)) throw refusal(runtime, trials[0]?.reason);
    return { ...(await onEngine(trials)), ...about };
  } finally {
    await own.dispose();
  }
}

/** The model as an ONNX file, or the reason why it cannot be one. */
async function writtenAsOnnx(model: LayersModel): Promise<Uint8Array | string> {
  const { onnxBytes, WeightsError } = await import("@convkit/weights");
  try {
    return onnxBytes(model);
  } catch (error) {
    if (error instanceof WeightsError) return error.message.replace(/\s*\n\s*/g, " ").replace(/\.$/, "");
    throw error;
  }
}
