import { ConvkitError } from "@convkit/errors";

/** The command line is wrong: exit status 2. */
export class UsageError extends ConvkitError {
  override readonly name = "UsageError";
  readonly code = "CONVKIT_USAGE";
}

/** The command cannot do its work with the given input: exit status 1. */
export class CliError extends ConvkitError {
  override readonly name = "CliError";
  readonly code = "CONVKIT_CLI";
}
