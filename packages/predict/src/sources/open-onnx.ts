import { readFile } from "node:fs/promises";
import { metadataFromJson, type ModelMetadata } from "@convkit/core/plain";
import { OptionError, shown } from "@convkit/errors";
import type { Values } from "@convkit/graph";
import type { OnnxOutline } from "@convkit/weights/onnx-outline";

import { chooseRuntime } from "../choose-runtime.ts";
import { PredictError } from "../predict-error.ts";
import type { PredictorOptions } from "../predictor-options.ts";
import { isOnnxRuntime, onnxRuntimes } from "../runtimes/runtime.ts";
import { featuresOf, layerValue, outputHoldsLogits, withOutput } from "./onnx-graph.ts";
import { openedModel, prepared, refusal, type OpenedModel, type Opening } from "./opened-model.ts";
import { sampleFeeds } from "./sample-feeds.ts";

/** Opens an ONNX file in OpenVINO or ONNX Runtime; loads no tfjs. Undefined where `auto` finds neither. */
export async function openOnnxFile(
  file: string | Uint8Array,
  options: PredictorOptions,
  { feeds, part }: Opening,
): Promise<OpenedModel | { readonly missing: string }> {
  const { runtime = "auto", precision = "float32", threads, execution } = options;
  if (runtime === "tensorflow" || runtime === "wasm" || execution !== undefined) {
    throw new OptionError(
      `predictor: expected a runtime that runs ONNX files (auto, ${onnxRuntimes.join(", ")}); for tfjs' engines load the model first: predictor(await loadModel(file)).`,
    );
  }
  const { bytes, name, outline, metadata } = await onnxFile(file);
  const { preprocessing = metadata.preprocessing } = options;
  const value = part === undefined || outline === undefined ? undefined : valueOf(outline, part.layer, name);
  const {
    session,
    runtime: chosen,
    trials,
  } = await chooseRuntime({
    bytes: value === undefined || value === outline!.outputs[0] ? bytes : withOutput(bytes, value),
    options: { precision, threads },
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
    run: async (given) => pick(await opened.run(given)),
  };
}

/** The bytes of an ONNX file and what it carries. */
export async function onnxFile(file: string | Uint8Array): Promise<{
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly outline: OnnxOutline | undefined;
  readonly metadata: ModelMetadata;
}> {
  const bytes = typeof file === "string" ? await readOnnx(file) : file;
  if (bytes.byteLength === 0) throw new PredictError("Expected the bytes of an ONNX file, got none.");
  const name = typeof file === "string" ? file : "the ONNX file";
  const outline = await readOutline(bytes, name);
  return { bytes, name, outline, metadata: outline === undefined ? {} : metadataOf(outline, name) };
}

async function readOnnx(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new PredictError(`The model ${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

/** Undefined for bytes that are no ONNX file: the runtime says what is wrong with them. */
async function readOutline(bytes: Uint8Array, name: string): Promise<OnnxOutline | undefined> {
  const { onnxOutline } = await import("@convkit/weights/onnx-outline");
  try {
    return onnxOutline(bytes, name);
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
