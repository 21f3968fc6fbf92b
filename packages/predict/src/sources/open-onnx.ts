import { readFile, stat } from "node:fs/promises";
import { metadataFromJson, type ModelMetadata } from "@convkit/core/plain";
import { OptionError, shown } from "@convkit/errors";
import type { Values } from "@convkit/graph";
import type { OnnxOutline } from "@convkit/weights/onnx-outline";

import { chooseRuntime } from "../choose-runtime.ts";
import { PredictError } from "../predict-error.ts";
import type { PredictorOptions } from "../predictor-options.ts";
import type { OnnxFile } from "../runtimes/runtime.ts";
import { isEngineRuntime, isOnnxRuntime, onnxRuntimes } from "../runtimes/runtime-names.ts";
import { featuresOf, layerValue, outputHoldsLogits, withOutput } from "./onnx-graph.ts";
import { openedModel, prepared, refusal, type OpenedModel, type Opening } from "./opened-model.ts";
import { sampleFeeds } from "./sample-feeds.ts";

/** Opens an ONNX file in OpenVINO or ONNX Runtime; loads no tfjs. Undefined where `auto` finds neither. */
export async function openOnnxFile(
  given: OnnxFile,
  options: PredictorOptions,
  { feeds, part, spins }: Opening,
): Promise<OpenedModel | { readonly missing: string }> {
  const { runtime = "auto", precision = "float32", threads, execution } = options;
  if (isEngineRuntime(runtime) || execution !== undefined) {
    throw new OptionError(
      `predictor: expected a runtime that runs ONNX files (auto, ${onnxRuntimes.join(", ")}); for tfjs' engines load the model first: predictor(await loadModel(file)).`,
    );
  }
  const { file, name, outline, metadata } = await onnxFile(given);
  const { preprocessing = metadata.preprocessing } = options;
  const value = part === undefined || outline === undefined ? undefined : valueOf(outline, part.layer, name);
  const {
    session,
    runtime: chosen,
    trials,
  } = await chooseRuntime({
    file: value === undefined || value === outline!.outputs[0] ? file : withOutput(await bytesOf(file), value),
    options: { precision, threads, spins },
    feeds:
      feeds?.map((feed) => prepared(feed, preprocessing)) ??
      ((inputs) => sampleFeeds(inputs, metadata.images?.size).map((feed) => prepared(feed, preprocessing))),
    among: runtime === "auto" ? onnxRuntimes : [runtime],
  });
  if (session === undefined) {
    if (isOnnxRuntime(runtime)) throw refusal(runtime, trials[0]?.reason);
    const reasons = trials.map(({ runtime: each, reason }) => `${each}: ${reason}`).join("; ");
    return {
      missing: `No runtime can run this ONNX file (${reasons}): "convkit engine install --predict" installs OpenVINO.`,
    };
  }
  const opened = openedModel(session, preprocessing, { runtime: chosen!, precision, trials });
  const about = { metadata, classes: metadata.classes, logits: outline && outputHoldsLogits(outline) };
  if (value === undefined) return { ...opened, ...about };
  const isOurs = outline!.producer === "convkit";
  const pick = (values: Values[]): Values[] => [isOurs ? channelsLast(values.at(-1)!) : values.at(-1)!];
  return {
    ...opened,
    ...about,
    runNow: () => undefined,
    run: async (inputs) => pick(await opened.run(inputs)),
  };
}

/** An ONNX file and what it carries. */
export async function onnxFile(file: OnnxFile): Promise<{
  readonly file: OnnxFile;
  readonly name: string;
  readonly outline: OnnxOutline | undefined;
  readonly metadata: ModelMetadata;
}> {
  if ((typeof file === "string" ? await sizeOf(file) : file.byteLength) === 0)
    throw new PredictError("Expected the bytes of an ONNX file, got none.");
  const name = typeof file === "string" ? file : "the ONNX file";
  const outline = await readOutline(file, name);
  return { file, name, outline, metadata: outline === undefined ? {} : metadataOf(outline, name) };
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(unreadable(file))).size;
}

/** The bytes of an ONNX file. */
export async function bytesOf(file: OnnxFile): Promise<Uint8Array> {
  return typeof file === "string" ? readFile(file).catch(unreadable(file)) : file;
}

const unreadable = (file: string) => (error: Error) => {
  throw new PredictError(`The model ${file} cannot be read: ${error.message}.`, { cause: error });
};

/** Undefined for what is no ONNX file: the runtime says what is wrong with it. */
async function readOutline(file: OnnxFile, name: string): Promise<OnnxOutline | undefined> {
  const { onnxOutline } = await import("@convkit/weights/onnx-outline");
  try {
    return onnxOutline(file, name);
  } catch {
    return undefined;
  }
}

function metadataOf({ metadata }: OnnxOutline, name: string): ModelMetadata {
  const text = metadata["convkit"];
  if (text === undefined) return {};
  const fail = (message: string): Error => new PredictError(message);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PredictError(`${name}: its metadata is no JSON: ${(error as Error).message}.`, { cause: error });
  }
  return metadataFromJson(`${name}, metadata`, json, fail);
}

function valueOf(outline: OnnxOutline, layer: string | undefined, name: string): string {
  if (layer === undefined) return featuresOf(outline);
  const value = layerValue(outline, layer);
  if (value !== undefined) return value;
  throw new OptionError(`features: expected the name of a layer or of a value in ${name}, got ${shown(layer)}.`);
}

/** Our files hold maps channels first; tfjs' order is that of every other runtime. `[n, c, h, w] -> [n, h, w, c]` */
function channelsLast({ data, shape }: Values): Values {
  if (shape.length !== 4) return { data, shape };
  const [count, channels, height, width] = shape as [number, number, number, number];
  const size = height * width;
  const turned = new Float32Array(data.length);
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++) {
      const from = (n * channels + c) * size;
      for (let i = 0; i < size; i++) turned[(n * size + i) * channels + c] = data[from + i]!;
    }
  return { data: turned, shape: [count, height, width, channels] };
}
