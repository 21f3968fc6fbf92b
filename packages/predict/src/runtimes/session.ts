import type { Feed, Values } from "@convkit/graph";

/** An input or an output of an opened model. */
export interface Port {
  readonly name: string;
  /** null stands for any size. */
  readonly shape: readonly (number | null)[];
  /** The type of its values: float32, int32 … */
  readonly type: string;
}

/** A model that is open in a runtime. */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** True if an earlier call, usually of another process, had compiled the network; false or missing if this one did. */
  readonly fromCache?: boolean | undefined;
  /**
   * Runs the model at once where that takes less time than a thread costs; else gives undefined. Missing where it never can. `prepare`
   * turns the feeds into others of the same shapes, only where the model runs.
   */
  runNow?(feeds: readonly Feed[], prepare?: (feeds: readonly Feed[]) => readonly Feed[]): Values[] | undefined;
  /** Runs the model; several calls may be on their way at once. */
  run(feeds: readonly Feed[]): Promise<Values[]>;
  /** Waits for the calls on their way and gives the memory back. */
  dispose(): Promise<void>;
}

/** How a runtime computes. */
export interface SessionOptions {
  readonly precision: Precision;
  /** Threads of one call; the runtime's own choice if missing. */
  readonly threads?: number | undefined;
  /**
   * False if threads that wait for work sleep at once. By default they spin for a while, which answers a lone call sooner, and takes the
   * processors from everything else.
   */
  readonly spins?: boolean | undefined;
  /** Whether a network that is given as bytes is kept as it was compiled, for later processes; false by default. That of a path always is. */
  readonly keeps?: boolean | undefined;
}

/** The number format of a prediction's computations. Inputs and outputs are float32 always. */
export type Precision = "float32" | "bfloat16";
