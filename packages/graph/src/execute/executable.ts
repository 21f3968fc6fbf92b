import { checkValues, trueOrFalse } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { compile } from "../compile.ts";
import { checkCompile, type CompileOptions, compileOptionNames } from "../compile-options.ts";
import { GraphError } from "../graph-error.ts";
import { eagerExecutable } from "./eager-executable.ts";
import type { Executable, ExecutionOptions, Settle, TensorFunction, Values } from "./executable-types.ts";

const executionNames: OptionNames<ExecutionOptions> = { ...compileOptionNames, eager: true };

/**
 * Compiles `fn` into one TensorFlow graph on the TensorFlow engines; runs it op by op on the others, where `settle` gets the values of
 * each call.
 */
export function executable(fn: TensorFunction, options: ExecutionOptions = {}, settle?: Settle): Executable {
  checkCompile("executable", options, executionNames);
  checkValues("executable", options, { eager: trueOrFalse }, (message) => new GraphError(message));
  const { eager = tf.getBackend() !== "tensorflow", ...compileOptions } = options;
  return eager ? eagerExecutable(fn, settle) : compiledExecutable(fn, compileOptions);
}

function compiledExecutable(fn: TensorFunction, options: CompileOptions): Executable {
  const graph = compile((...inputs: tf.Tensor[]) => fn(...inputs), options);
  type Arguments = { data: Float32Array; shape: number[] }[];
  return {
    async run(feeds) {
      return (await graph(...(feeds as Arguments))) as unknown as Values[];
    },
    async runAll(calls, before) {
      return (await graph.steps(calls as Arguments[], before && { before })) as unknown as Values[][];
    },
    sync: () => graph.sync(),
    get runs() {
      return graph.runs;
    },
    set runs(count) {
      graph.runs = count;
    },
    kept: graph.kept,
    dispose: () => graph.dispose(),
  };
}
