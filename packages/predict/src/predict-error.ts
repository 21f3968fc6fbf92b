import { ConvkitError } from "@convkit/errors";

/** A prediction that cannot be made: a runtime that is missing or damaged, or a model that a runtime cannot take. */
export class PredictError extends ConvkitError {
  override readonly name = "PredictError";
  readonly code = "CONVKIT_PREDICT";
}
