import type { GlobalOptions } from "./global-options.ts";
import type { Output } from "./output.ts";

/** The context in which a command runs. */
export interface Context {
  readonly options: GlobalOptions;
  /** The whole command line, without the program. */
  readonly args: readonly string[];
  readonly out: Output;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
}
