import { ConvkitError } from "./convkit-error.ts";

/** An argument or option that a function cannot take: says what was expected and what came. */
export class OptionError extends ConvkitError {
  override readonly name = "OptionError";
  readonly code = "CONVKIT_OPTION";
}
