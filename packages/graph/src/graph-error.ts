/** What went wrong while a function was traced, imported or run as a graph: says which op, where in the user's code, and what to do. */
export class GraphError extends Error {
  override name = "GraphError";
}
