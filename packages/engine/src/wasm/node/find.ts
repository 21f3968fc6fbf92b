import { createRequire } from "node:module";

/** The file of tfjs' wasm backend, or the reason why it cannot be used. */
export function findWasm(): { wasm: string } | { reason: string } {
  try {
    return { wasm: createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm") };
  } catch {
    return { reason: 'the package @tensorflow/tfjs-backend-wasm is missing: type "npm install" again' };
  }
}
