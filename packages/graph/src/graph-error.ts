import { ConvkitError } from "@convkit/errors";

/** A function could not be traced, imported or run as a graph: says which op failed, where in the user's code, and what to do. */
export class GraphError extends ConvkitError {
  override readonly name = "GraphError";
  readonly code = "CONVKIT_GRAPH";
}
