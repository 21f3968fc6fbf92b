import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../engine-error.ts";
import { attach } from "./attach.ts";

/**
 * Lets tfjs' wasm backend train in a browser: set the backend, then hand over the compiled `kernels.wasm` of this package
 * (`kernels-threads.wasm` on a cross-origin isolated page, where tfjs uses threads).
 */
export function registerWasmKernels(module: WebAssembly.Module): void {
  if (tf.getBackend() !== "wasm") {
    throw new EngineError(
      `The wasm kernels need the backend "wasm", but "${tf.getBackend()}" is set: await tf.setBackend("wasm") first.`,
    );
  }
  attach(module, tf.backend() as BackendWasm);
}
