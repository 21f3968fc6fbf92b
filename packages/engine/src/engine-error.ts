import { ConvkitError } from "@convkit/errors";

/** A TensorFlow engine cannot be installed or used here; the message is one sentence that says why and what to do. */
export class EngineError extends ConvkitError {
  override readonly name: string = "EngineError";
  readonly code: "CONVKIT_ENGINE" | "CONVKIT_OUT_OF_MEMORY" = "CONVKIT_ENGINE";
}
