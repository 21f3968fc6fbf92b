import { ConvkitError } from "@convkit/errors";

/** The command line is wrong: exit status 2. */
export class UsageError extends ConvkitError {
  override readonly name = "UsageError";
  readonly code = "CONVKIT_USAGE";
}

/** The arguments or files do not fit: exit status 1. */
export class BenchError extends ConvkitError {
  override readonly name = "BenchError";
  readonly code = "CONVKIT_BENCH";
}
