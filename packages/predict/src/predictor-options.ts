import type { Preprocessing } from "@convkit/core";
import type { OptionNames } from "@convkit/errors";
import type { ExecutionOptions } from "@convkit/graph";

import type { RuntimeTrial } from "./choose-runtime.ts";
import type { RuntimeName } from "./runtimes/runtime.ts";
import type { Precision } from "./runtimes/session.ts";

/** Options of `predictor`. */
export interface PredictorOptions {
  /**
   * What computes. `openvino` and `onnxruntime` run a copy of the model as it is at the first prediction; `tensorflow` and `wasm` are
   * the engine in use, with the model's weights at the time of each call. `auto` takes the fastest of the first two that is installed
   * and gives the model's own numbers, else the engine in use. By default the engine in use for a model, `auto` for an ONNX file.
   */
  readonly runtime?: RuntimeName | "auto" | undefined;
  /** The number format of the computations: `float32` (the default), or `bfloat16` where the machine and the runtime have it. */
  readonly precision?: Precision | undefined;
  /** Threads of one prediction; by default as many as the runtime takes. Op by op they are those of `useEngine`. */
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

export const predictorOptionNames: OptionNames<PredictorOptions> = {
  runtime: true,
  precision: true,
  threads: true,
  preprocessing: true,
  execution: true,
};

/** How a predictor computes. */
export interface PredictorDescription {
  readonly runtime: RuntimeName;
  readonly precision: Precision | "float16";
  /** What was found about each runtime that was considered; empty where none was chosen from. */
  readonly trials: readonly RuntimeTrial[];
}
