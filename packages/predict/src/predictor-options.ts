import type { Preprocessing } from "@convkit/core";
import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";
import type { ExecutionOptions } from "@convkit/graph";
import type { LayersModel } from "@tensorflow/tfjs-layers";

import type { RuntimeTrial } from "./choose-runtime.ts";
import { type PageRuntimeName, pageRuntimeNames, runtimeNames, type RuntimeName } from "./runtimes/runtime-names.ts";
import type { Port, Precision } from "./runtimes/session.ts";
import { isModelFile } from "./sources/predictor-source.ts";

/** Options of `predictor`. */
export interface PredictorOptions {
  /**
   * What computes. `openvino` and `onnxruntime` run a copy of the model as it is at the first prediction; `tensorflow`, `wasm`, `webgpu`
   * and, in a web page, `webgl` are the engine in use, with the model's weights at the time of each call. `auto` takes the fastest of the
   * first two that is installed and gives the model's own numbers, else the engine in use. By default the engine in use for a model,
   * `auto` for a path and for bytes.
   */
  readonly runtime?: RuntimeName | PageRuntimeName | "auto" | undefined;
  /** The number format of the computations: `float32` (the default), or `bfloat16` where the machine and the runtime have it. */
  readonly precision?: Precision | undefined;
  /**
   * The network of a file that holds weights alone (`.pth`, `.safetensors` …): a name of the zoo (`"resnet18"`), or a model, which
   * gets the weights. By default the file holds its network.
   */
  readonly network?: string | LayersModel | undefined;
  /**
   * Threads of one prediction at most; by default as many as the runtime takes. Op by op they are those of `useEngine`: others are refused, or
   * under `auto` told by `describe()`.
   */
  readonly threads?: number | undefined;
  /**
   * Preprocessing of pixels from 0 to 255; by default as the model's metadata says, else the model gets the pixels unchanged.
   * `rawPixels` leaves them unchanged.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /**
   * Determinism, seed and notices of a compiled prediction on tfjs' engine, by default as in `compile`; `eager: true`
   * runs it op by op.
   */
  readonly execution?: ExecutionOptions | undefined;
}

const optionNames: OptionNames<PredictorOptions> = {
  runtime: true,
  precision: true,
  network: true,
  threads: true,
  preprocessing: true,
  execution: true,
};

/** How a predictor computes. */
export interface PredictorDescription {
  /** `tfjs` is another backend of tfjs than convkit's engines. */
  readonly runtime: RuntimeName | PageRuntimeName | "tfjs";
  readonly precision: Precision | "float16";
  /** The model's inputs and outputs; null stands for any size. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** What was found about each runtime that was considered; empty where none was chosen from. */
  readonly trials: readonly RuntimeTrial[];
  /**
   * Whether OpenVINO read the network from convkit's cache, where an earlier call, usually of another process, had compiled it. Missing for
   * other runtimes, and where nothing is kept: weights in other files, a cache that cannot be written, less than a megabyte in memory.
   */
  readonly fromCache?: boolean | undefined;
  /** Sentences on what is computed in another way than was asked for; empty by rule. */
  readonly notes: readonly string[];
}

/** Throws an `OptionError` for options that make no sense, or that do not fit the model. */
export function checkPredictorOptions(where: string, model: unknown, options: PredictorOptions): void {
  checkOptions(where, options, optionNames);
  const { runtime, precision, threads, network } = options;
  const known: readonly string[] = ["auto", ...runtimeNames, ...pageRuntimeNames];
  if (runtime !== undefined && !known.includes(runtime)) {
    throw new OptionError(`${where}: expected runtime to be ${known.join(", ")}, got ${shown(runtime)}.`);
  }
  if (precision !== undefined && precision !== "float32" && precision !== "bfloat16") {
    throw new OptionError(`${where}: expected precision to be float32 or bfloat16, got ${shown(precision)}.`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new OptionError(`${where}: expected threads to be a whole number from 1, got ${shown(threads)}.`);
  }
  if (!isModelFile(model) && typeof (model as Partial<LayersModel> | undefined)?.apply !== "function") {
    throw new OptionError(
      `${where}: expected a model, the path of a model or of a run, or the bytes of an ONNX file or a Blob of them, got ${shown(model)}.`,
    );
  }
  if (network === undefined) return;
  if (typeof model !== "string") {
    throw new OptionError(
      `${where}: expected network with the path of a file of weights only; the model that was given is its own network.`,
    );
  }
  if (typeof network !== "string" && typeof (network as Partial<LayersModel>)?.apply !== "function") {
    throw new OptionError(`${where}: expected network to be a name of the zoo or a model, got ${shown(network)}.`);
  }
}
