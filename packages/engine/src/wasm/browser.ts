import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../engine-error.ts";
import { attach } from "./attach.ts";

/** URLs of the compiled kernels, in the form that bundlers recognize, so that they copy the files. */
export const kernelAddresses = {
  single: new URL("./kernels.wasm", import.meta.url).href,
  /** For a cross-origin isolated page, where threads share tfjs' heap. */
  shared: new URL("./kernels-threads.wasm", import.meta.url).href,
} as const;

/** Lets tfjs' wasm backend train in a browser. Set the backend first, then pass the compiled kernels. */
export function registerWasmKernels(module: WebAssembly.Module): void {
  if (tf.getBackend() !== "wasm") {
    throw new EngineError(
      `The wasm kernels need the backend "wasm", but "${tf.getBackend()}" is set: await tf.setBackend("wasm") first.`,
    );
  }
  attach(module, tf.backend() as BackendWasm);
}
