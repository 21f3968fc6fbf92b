import type { Preprocessing } from "@convkit/core";
import { OptionError } from "@convkit/errors";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";

import { chooseRuntime } from "../choose-runtime.ts";
import { PredictError } from "../predict-error.ts";
import type { PredictorDescription, PredictorOptions } from "../predictor-options.ts";
import { checkFeeds } from "../runtimes/check-feeds.ts";
import { isOnnxRuntime, onnxRuntimes, type RuntimeName } from "../runtimes/runtime.ts";
import { openedModel, prepared, refusal, type Opening, type OpenedModel } from "./opened-model.ts";
import { sampleFeeds } from "./sample-feeds.ts";

/** Opens a layers model: a copy in OpenVINO or ONNX Runtime, or the model itself on the engine in use. */
export async function openLayers(
  whole: LayersModel,
  options: PredictorOptions,
  { feeds, part, spins }: Opening,
): Promise<OpenedModel> {
  const { endsInLogits, modelMetadata } = await import("@convkit/core/plain");
  const { classNames } = await import("../prediction.ts");
  const { runtime } = options;
  const metadata = modelMetadata(whole);
  const { preprocessing = metadata.preprocessing } = options;
  const model = part === undefined ? whole : await cutModel(whole, part.layer);
  const about = { metadata, classes: classNames(whole), logits: endsInLogits(whole) };
  const onEngine = (trials: PredictorDescription["trials"]) => openOnEngine(model, options, preprocessing, trials);
  if (runtime === undefined || runtime === "tensorflow" || runtime === "wasm") {
    const engine = await engineInUse();
    if (runtime !== undefined && runtime !== engine) {
      throw new PredictError(
        `The runtime ${runtime} was asked for, but this process computes with ${await engineText(engine)}: call useEngine("${runtime === "wasm" ? "wasm" : "native"}") first.`,
      );
    }
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
    const inputs = (feeds ?? sampleFeeds(own.inputs, metadata.images?.size)).map((feed) =>
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

async function openOnEngine(
  model: LayersModel,
  { runtime, precision = "float32", threads, execution }: PredictorOptions,
  preprocessing: Preprocessing | undefined,
  trials: PredictorDescription["trials"],
): Promise<OpenedModel> {
  const engine = await engineInUse();
  const { openTfjs } = await import("../runtimes/tfjs-session.ts");
  const { threadsOf } = await import("@convkit/engine/internal");
  const whole = { threads, ...execution, precision: execution?.precision ?? precision };
  const notes: string[] = [];
  const ownThreads = (computing: string): void => {
    const text = `${computing} with the engine's threads, not with ${whole.threads}: give useEngine the threads`;
    if (runtime !== "auto") throw new PredictError(`${text}.`);
    notes.push(`No faster runtime can be used. ${text}.`);
  };
  if (engine !== "tensorflow" || whole.eager === true) {
    const opByOp = `Op by op${engine === "tensorflow" ? "" : `, as ${await engineText(engine)} computes,`} a model computes`;
    if (whole.precision !== "float32") throw new PredictError(`${opByOp} in float32, not in ${whole.precision}.`);
    if (whole.threads !== undefined) ownThreads(opByOp);
  } else if (whole.threads !== undefined && whole.threads !== threadsOf()) {
    ownThreads("A compiled graph computes");
  }
  const session = openTfjs(model, { ...whole, threads: undefined, preprocessing });
  return openedModel(session, {}, { runtime: engine, precision: whole.precision, trials, notes });
}

/** The model up to a layer, or up to its classifying layer; it shares the weights. */
async function cutModel(model: LayersModel, layer: string | undefined): Promise<LayersModel> {
  const { layerOutput } = await import("@convkit/core");
  const { headInput } = await import("@convkit/core/internal");
  const tfl = await import("@tensorflow/tfjs-layers");
  const output: SymbolicTensor = layer === undefined ? headInput(model) : layerOutput(model, layer);
  return tfl.model({ inputs: model.inputs, outputs: output, name: `${model.name}_features` });
}

async function engineInUse(): Promise<RuntimeName | "tfjs"> {
  const tf = await import("@tensorflow/tfjs-core");
  const backend = tf.getBackend();
  if (backend === undefined || backend === "") {
    const { checkEngine } = await import("@convkit/core/internal");
    checkEngine("predictor");
  }
  return backend === "tensorflow" || backend === "wasm" ? backend : "tfjs";
}

async function engineText(engine: RuntimeName | "tfjs"): Promise<string> {
  if (engine !== "tfjs") return `the engine ${engine}`;
  const tf = await import("@tensorflow/tfjs-core");
  return `tfjs' backend ${tf.getBackend()}`;
}
