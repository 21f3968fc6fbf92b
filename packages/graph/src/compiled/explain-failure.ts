import { GraphError } from "../graph-error.ts";
import type { GraphNode } from "../ir/graph-node.ts";

/** Adds to TensorFlow's error the user's line that called the failing op. */
export function explainFailure(error: unknown, nodes: ReadonlyMap<string, GraphNode>): unknown {
  if (!(error instanceof GraphError)) return error;
  const name = /\{\{node ([^}]+)\}\}/.exec(error.message)?.[1] ?? /\[\[([^\]\s{]+)\]\]/.exec(error.message)?.[1];
  const node = name === undefined ? undefined : nodes.get(name);
  if (node === undefined) return error;
  const place = node.at === undefined ? "" : `, asked for at ${node.at}`;
  const message = error.message.split("\n")[0];
  return new GraphError(`${node.op} failed (${node.name}${place}): ${message}`, { cause: error });
}
