/** A TensorFlow engine cannot be installed or used here; the message is one sentence that says why and what to do. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}
