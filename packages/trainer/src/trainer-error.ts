import { ConvkitError } from "@convkit/errors";

/** A training or evaluation that cannot start or go on: expected X, got Y in Z. */
export class TrainerError extends ConvkitError {
  override readonly name = "TrainerError";
  readonly code = "CONVKIT_TRAINER";
}
