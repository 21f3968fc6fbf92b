import type { Helpers } from "./helpers.ts";

/** What the wasm engine needs of the place where it runs: Node or a web page. */
export interface WasmPlatform {
  /** The place in a sentence, such as "this Node (v20.19.0)". */
  readonly name: string;
  /** What to do where WebAssembly lacks SIMD. */
  readonly advice: string;
  /** Threads that the machine can run at once. */
  parallelism(): number;
  /** Tells tfjs where its own WebAssembly files are, before it starts. */
  prepare(): Promise<void>;
  /** The compiled kernels: for a heap that threads share, or for a heap of one thread. */
  kernelsModule(threads: boolean): Promise<WebAssembly.Module>;
  /** Runs `start`, which loads tfjs' module, without the threads and the handlers that the module would start. */
  quietStart<T>(start: () => T | Promise<T>): Promise<T>;
  /** Starts helper threads; the function ends them. */
  startHelpers(count: number, helpers: Helpers): Promise<() => void>;
}
