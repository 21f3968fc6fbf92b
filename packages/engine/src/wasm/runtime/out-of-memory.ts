import { EngineError } from "../../engine-error.ts";

/** The wasm heap cannot hold a tensor; whoever made the batch can split it and try again. */
export class OutOfMemoryError extends EngineError {
  override readonly name = "OutOfMemoryError";
  override readonly code = "CONVKIT_OUT_OF_MEMORY";

  constructor(bytes: number) {
    super(
      `The wasm engine's heap ends at 4 GB and has no room for ${(bytes / 2 ** 20).toFixed(1)} MB more: use a smaller batch (--batch), or the native engine.`,
    );
  }
}
