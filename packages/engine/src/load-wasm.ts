import { createRequire } from "node:module";
import path from "node:path";

import * as tf from "@tensorflow/tfjs-core";

/** The folder of the wasm backend's binaries, or the reason why there is none. */
export function findWasm(): { wasm: string } | { reason: string } {
  try {
    return { wasm: path.dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) };
  } catch {
    return { reason: 'the package @tensorflow/tfjs-backend-wasm is missing: type "npm install @convkit/engine" again' };
  }
}

/** Makes WebAssembly tfjs' backend. */
export async function loadWasmEngine(_options: { threads?: number | undefined } = {}): Promise<{ threads: number }> {
  const found = findWasm();
  if ("reason" in found) throw new Error(found.reason);
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(found.wasm + path.sep);
  await tf.setBackend("wasm");
  return { threads: 1 };
}
