import { checkOptions, checkValues, oneOf, trueOrFalse, wholeFromOne, wholeFromZero } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type { TraceOptions } from "./compiled/build-graph.ts";
import { GraphError } from "./graph-error.ts";

/** How a function is compiled. */
export interface CompileOptions {
  /** Seed of all random numbers drawn in the graph; 0 by default. */
  readonly seed?: number | undefined;
  /**
   * The type that convolutions, matrix products and the ops between them compute in; "float32" by default. Variables
   * stay float32.
   */
  readonly precision?: TraceOptions["precision"] | undefined;
  /**
   * Turns variables into constants with their values at the first call of a signature, for the fastest predictions;
   * false by default. All batch sizes but the first share one graph, if the function computes the same at all of them.
   */
  readonly freeze?: boolean | undefined;
  /**
   * Threads within an op and between ops; the engine's by default. TensorFlow's threads are the process's: with another number
   * than the engine's, the function computes with the engine's, which `onNotice` is told.
   */
  readonly threads?: number | undefined;
  /**
   * Computes the same bits as eager tfjs with as many threads, equal from run to run; slower. TensorFlow then computes
   * deterministically in the whole process. False by default.
   */
  readonly deterministic?: boolean | undefined;
  /**
   * Called once if the function was traced for many values of a number, and once if it computes with other threads than asked
   * for; emits Node's warning by default.
   */
  readonly onNotice?: ((line: string) => void) | undefined;
}

export const compileOptionNames: OptionNames<CompileOptions> = {
  seed: true,
  precision: true,
  freeze: true,
  threads: true,
  deterministic: true,
  onNotice: true,
};

/** Throws a GraphError for unknown options and for values that they cannot have. */
export function checkCompile<T extends CompileOptions>(where: string, options: T, names: OptionNames<T>): void {
  const failure = (message: string): GraphError => new GraphError(message);
  checkOptions(where, options, names, failure);
  const rules = {
    seed: wholeFromZero,
    precision: oneOf(["float32", "bfloat16", "float16"]),
    freeze: trueOrFalse,
    threads: wholeFromOne,
    deterministic: trueOrFalse,
  };
  checkValues<CompileOptions>(where, options, rules, failure);
}
