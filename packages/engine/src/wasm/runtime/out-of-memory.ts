import { EngineError } from "../../engine-error.ts";

/** The wasm heap has no room for a tensor. A smaller batch may fit. */
export class OutOfMemoryError extends EngineError {
  override readonly name = "OutOfMemoryError";
  override readonly code = "CONVKIT_OUT_OF_MEMORY";

  constructor(bytes: number) {
    super(
      `The wasm engine's heap ends at 4 GB and has no room for ${(bytes / 2 ** 20).toFixed(1)} MB more: use a smaller batch (--batch), or the native engine.`,
    );
  }
}
