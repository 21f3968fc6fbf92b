import type { Preprocessing } from "@convkit/core";
import { engineThreads } from "@convkit/predict/platform";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import { PredictError } from "../predict-error.ts";
import type { PredictorDescription, PredictorOptions } from "../predictor-options.ts";
import { type EngineRuntimeName, engineRuntimes } from "../runtimes/runtime-names.ts";
import { openedModel, type OpenedModel } from "./opened-model.ts";

/** Throws a PredictError unless the runtime that was asked for is the engine in use. */
export async function checkEngineRuntime(runtime: EngineRuntimeName | undefined): Promise<void> {
  const engine = await engineInUse();
  if (runtime === undefined || runtime === engine) return;
  throw new PredictError(
    `The runtime ${runtime} was asked for, but this process computes with ${await engineText(engine)}: call useEngine("${runtime === "tensorflow" ? "native" : runtime}") first.`,
  );
}

/** Opens the model itself on the engine in use. */
export async function openOnEngine(
  model: LayersModel,
  { runtime, precision = "float32", threads, execution }: PredictorOptions,
  preprocessing: Preprocessing | undefined,
  trials: PredictorDescription["trials"],
): Promise<OpenedModel> {
  const engine = await engineInUse();
  const { openTfjs } = await import("../runtimes/tfjs-session.ts");
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
  } else if (whole.threads !== undefined && whole.threads !== (await engineThreads())) {
    ownThreads("A compiled graph computes");
  }
  const session = openTfjs(model, { ...whole, threads: undefined, preprocessing });
  return openedModel(session, {}, { runtime: engine, precision: whole.precision, trials, notes });
}

async function engineInUse(): Promise<PredictorDescription["runtime"]> {
  const tf = await import("@tensorflow/tfjs-core");
  const backend = tf.getBackend();
  if (backend === undefined || backend === "") {
    const { checkEngine } = await import("@convkit/core/internal");
    checkEngine("predictor");
  }
  return engineRuntimes.find((name) => name === backend) ?? "tfjs";
}

async function engineText(engine: PredictorDescription["runtime"]): Promise<string> {
  if (engine !== "tfjs") return `the engine ${engine}`;
  const tf = await import("@tensorflow/tfjs-core");
  return `tfjs' backend ${tf.getBackend()}`;
}
