import { readFile } from "node:fs/promises";
import type { Preprocessing } from "@convkit/core";
import { preprocessValues } from "@convkit/core/plain";
import { OptionError } from "@convkit/errors";
import type { Feed, Values } from "@convkit/graph";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { chooseRuntime } from "./choose-runtime.ts";
import { PredictError } from "./predict-error.ts";
import type { PredictorDescription, PredictorOptions } from "./predictor-options.ts";
import { onnxRuntimes, type OnnxRuntimeName, type RuntimeName } from "./runtimes/runtime.ts";
import { checkFeeds } from "./runtimes/check-feeds.ts";
import type { Session } from "./runtimes/session.ts";

/** A model that is open in one runtime, with its preprocessing in front. */
export interface OpenedModel {
  readonly description: PredictorDescription;
  run(feeds: readonly Feed[]): Promise<Values[]>;
  dispose(): Promise<void>;
}

/** Opens a layers model: a copy in OpenVINO or ONNX Runtime, or the model itself on the engine in use. */
export async function openModel(
  model: LayersModel,
  options: PredictorOptions,
  feeds: readonly Feed[],
): Promise<OpenedModel> {
  const { modelMetadata } = await import("@convkit/core");
  const { runtime, precision = "float32", threads } = options;
  const { preprocessing = modelMetadata(model).preprocessing, execution } = options;
  const { openTfjs } = await import("./runtimes/tfjs-session.ts");
  const onEngine = async (trials: PredictorDescription["trials"]): Promise<OpenedModel> => {
    const engine = await engineInUse();
    const whole = { threads, ...execution, precision: execution?.precision ?? precision };
    if (engine === "wasm" || whole.eager === true) {
      const opByOp = `Op by op${engine === "wasm" ? ", as the wasm engine computes," : ""} a model computes`;
      if (whole.precision !== "float32") throw new PredictError(`${opByOp} in float32, not in ${whole.precision}.`);
      if (threads !== undefined && runtime !== "auto") {
        throw new PredictError(`${opByOp} with the engine's threads, not with ${threads}: give useEngine the threads.`);
      }
    }
    const session = openTfjs(model, { ...whole, preprocessing });
    return opened(session, {}, { runtime: engine, precision: whole.precision, trials });
  };
  if (runtime === undefined || runtime === "tensorflow" || runtime === "wasm") {
    const engine = await engineInUse();
    if (runtime !== undefined && runtime !== engine) {
      throw new PredictError(
        `The runtime ${runtime} was asked for, but this process computes with the engine ${engine}: call useEngine("${runtime === "wasm" ? "wasm" : "native"}") first.`,
      );
    }
    return onEngine([]);
  }
  if (execution !== undefined) {
    throw new OptionError(
      `predictor: expected no execution with the runtime ${runtime}, since it is for tfjs' engines; give precision and threads beside runtime.`,
    );
  }
  const { onnxBytes } = await import("@convkit/weights");
  const own = openTfjs(model, { eager: true });
  try {
    const prepared = feeds.map((feed) => prepare(feed, preprocessing));
    // A wrong first call must not count against a runtime.
    checkFeeds(own.inputs, prepared);
    const {
      session,
      runtime: chosen,
      trials,
    } = await chooseRuntime({
      bytes: onnxBytes(model),
      options: { precision, threads },
      feeds: prepared,
      own: (drawn) => own.run(drawn),
      among: runtime === "auto" ? onnxRuntimes : [runtime],
    });
    if (session !== undefined) return opened(session, preprocessing, { runtime: chosen!, precision, trials });
    if (runtime !== "auto") throw refused(runtime, trials[0]?.reason);
    return await onEngine(trials);
  } finally {
    await own.dispose();
  }
}

/** Opens an ONNX file in OpenVINO or ONNX Runtime; loads no tfjs. */
export async function openOnnxFile(
  file: string | Uint8Array,
  options: PredictorOptions,
  feeds: readonly Feed[],
): Promise<OpenedModel> {
  const { runtime = "auto", precision = "float32", threads, preprocessing, execution } = options;
  if (runtime === "tensorflow" || runtime === "wasm" || execution !== undefined) {
    throw new OptionError(
      `predictor: expected a runtime that runs ONNX files (auto, ${onnxRuntimes.join(", ")}); for tfjs' engines load the model first: predictor(await loadModel(file)).`,
    );
  }
  const bytes = typeof file === "string" ? await readOnnx(file) : file;
  if (bytes.byteLength === 0) throw new PredictError("Expected the bytes of an ONNX file, got none.");
  const {
    session,
    runtime: chosen,
    trials,
  } = await chooseRuntime({
    bytes,
    options: { precision, threads },
    feeds: feeds.map((feed) => prepare(feed, preprocessing)),
    among: runtime === "auto" ? onnxRuntimes : [runtime],
  });
  if (session === undefined) {
    if (runtime !== "auto") throw refused(runtime, trials[0]?.reason);
    const reasons = trials.map(({ runtime: name, reason }) => `${name}: ${reason}`).join("; ");
    throw new PredictError(
      `No runtime can run this ONNX file (${reasons}): "convkit engine install --predict" installs OpenVINO.`,
    );
  }
  return opened(session, preprocessing, { runtime: chosen!, precision, trials });
}

async function readOnnx(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new PredictError(`The model ${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

function opened(
  session: Session,
  preprocessing: Preprocessing | undefined,
  description: PredictorDescription,
): OpenedModel {
  return {
    description,
    async run(feeds) {
      const prepared = feeds.map((feed) => prepare(feed, preprocessing));
      checkFeeds(session.inputs, prepared);
      return session.run(prepared);
    },
    dispose: () => session.dispose(),
  };
}

function prepare(feed: Feed, preprocessing: Preprocessing | undefined): Feed {
  if (preprocessing === undefined || Object.keys(preprocessing).length === 0) return feed;
  return { data: preprocessValues(feed.data, feed.shape.at(-1) ?? 1, preprocessing), shape: feed.shape };
}

async function engineInUse(): Promise<RuntimeName> {
  const tf = await import("@tensorflow/tfjs-core");
  return tf.getBackend() === "tensorflow" ? "tensorflow" : "wasm";
}

function refused(runtime: OnnxRuntimeName, reason = "it cannot be used"): PredictError {
  const fix = runtime === "openvino" ? "convkit engine install --predict" : "npm install onnxruntime-node";
  const how =
    reason === "it is not installed" ? `: "${fix}" installs it` : "; leave the runtime out, or choose another";
  return new PredictError(`The runtime ${runtime} cannot predict with this model: ${reason}${how}.`);
}
