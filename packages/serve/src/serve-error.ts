import { ConvkitError } from "@convkit/errors";

/** A server that cannot start or reload: a model that cannot be read, an address that is taken. */
export class ServeError extends ConvkitError {
  override readonly name = "ServeError";
  readonly code = "CONVKIT_SERVE";
}
