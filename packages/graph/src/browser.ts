/**
 * What bundlers take in place of `index.ts` for web pages: the same names. No TensorFlow library runs in a page, so functions run op by op
 * there, and what needs the library refuses in a sentence.
 */
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkAccelerate } from "./accelerate-options.ts";
import type { Accelerated, AccelerateOptions } from "./accelerate-options.ts";
import type { Compiled } from "./compile.ts";
import type { CompileOptions } from "./compile-options.ts";
import type { AllReduceOptions } from "./distributed/all-reduce.ts";
import type { DistributeOptions, Worker } from "./distributed/distribute.ts";
import { eagerExecutable } from "./execute/eager-executable.ts";
import type { Executable, ExecutionOptions, Settle, TensorFunction } from "./execute/executable-types.ts";
import { GraphError } from "./graph-error.ts";
import type { LoadedSavedModel, LoadSavedModelOptions } from "./saved-model/load.ts";

export * from "./everywhere.ts";

/** Runs `fn` op by op; throws GraphError for `eager: false`, which a page cannot do. */
export function executable(fn: TensorFunction, { eager = true }: ExecutionOptions = {}, settle?: Settle): Executable {
  if (!eager) throw withoutLibrary("executable with `eager: false`", "leave the option out");
  return eagerExecutable(fn, settle);
}

/** Leaves the model as it is: it trains and predicts op by op in a page. `onNotice` is told, the console by default. */
export function accelerate(model: tfl.LayersModel, options: AccelerateOptions = {}): Accelerated {
  checkAccelerate(model, options);
  const { onNotice = (line) => console.warn(line) } = options;
  onNotice(
    `The model ${model.name} runs op by op: a web page has no TensorFlow library that could run compiled functions.`,
  );
  return { describe: () => [], dispose: async () => undefined };
}

/** Throws GraphError: a page has no TensorFlow library. */
export function compile<A extends unknown[], R>(_fn: (...args: A) => R, _options?: CompileOptions): Compiled<A, R> {
  throw withoutLibrary("compile", "call the function itself, or use executable, which runs it op by op here");
}

/** The tensors themselves, since a page works alone. */
export function allReduce<T extends tf.Tensor>(tensors: readonly T[], _options?: AllReduceOptions): T[] {
  return tensors.map((tensor) => tensor.clone());
}

/** Throws GraphError: a page has no TensorFlow library. */
export async function distribute(_options: DistributeOptions): Promise<Worker> {
  throw withoutLibrary("distribute", "train on several machines from Node");
}

/** Undefined: a page works alone. */
export function thisWorker(): Worker | undefined {
  return undefined;
}

/** Throws GraphError: a page has no TensorFlow library. */
export async function loadSavedModel(_folder: string, _options?: LoadSavedModelOptions): Promise<LoadedSavedModel> {
  throw withoutLibrary("loadSavedModel", "convert the model to a tfjs graph model, which tf.loadGraphModel opens");
}

function withoutLibrary(what: string, way: string): GraphError {
  return new GraphError(`${what} needs TensorFlow's own library, which runs in Node and not in a web page: ${way}.`);
}
