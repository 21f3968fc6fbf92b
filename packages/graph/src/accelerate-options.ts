import type * as tfl from "@tensorflow/tfjs-layers";
import { shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { checkCompile, type CompileOptions } from "./compile-options.ts";
import type { TraceDescription } from "./compiled/describe.ts";
import { GraphError } from "./graph-error.ts";

/** How a model is accelerated. */
export interface AccelerateOptions extends Omit<CompileOptions, "freeze"> {
  /**
   * Called once with a notice if something runs eagerly because it cannot be compiled, or with other threads than asked for;
   * emits Node's warning by default.
   */
  readonly onNotice?: ((line: string) => void) | undefined;
}

const accelerateOptionNames: OptionNames<AccelerateOptions> = {
  seed: true,
  precision: true,
  threads: true,
  deterministic: true,
  onNotice: true,
};

/** An accelerated model's compiled functions. */
export interface Accelerated {
  /** Describes what was compiled so far. */
  describe(): TraceDescription[];
  /** Restores the model's own methods; the weights keep their values. */
  dispose(): Promise<void>;
}

/** Throws GraphError for unknown options, and for what is no model. */
export function checkAccelerate(model: tfl.LayersModel, options: AccelerateOptions): void {
  checkCompile("accelerate", options, accelerateOptionNames);
  if (typeof model?.predict !== "function" || !Array.isArray(model.outputs)) {
    throw new GraphError(
      `accelerate: expected a model such as createModel or \`await loadModel\` gives, got ${shown(model)}.`,
    );
  }
}
