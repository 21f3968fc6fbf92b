import type { Graph, GraphNode } from "./onnx-file.ts";
import { usesOf, type IntLayer } from "./layers.ts";

/** The values of a graph that become 8-bit integers. */
export interface IntValues {
  /** Names, in the graph's order. */
  readonly names: readonly string[];
  /** Values that take the scale of another one, since an operator only moves the numbers. */
  readonly sameAs: ReadonlyMap<string, string>;
}

/** Operators that runtimes compute in integers where all their inputs and their output are integers. */
const joins = new Set(["Add", "AveragePool", "Concat", "GlobalAveragePool"]);
/** Operators that move numbers and change none. */
const movers = new Set(["Flatten", "Identity", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/**
 * Which values are integers where these layers compute in int8: their inputs and outputs, and the values between them. An activation
 * is one with the operator before it. The network's own outputs stay floats.
 */
export function intValues(
  { nodes, weights }: Graph,
  layers: readonly IntLayer[],
  outputs: readonly string[],
): IntValues {
  const uses = usesOf(nodes);
  const inInt8 = new Set(layers.map(({ node }) => node));
  const found = new Set<string>();
  const sameAs = new Map<string, string>();
  const add = (name: string): void => {
    if (!outputs.includes(name)) found.add(name);
  };
  for (const { node } of layers) {
    add(node.input[0]!);
    const output = afterActivation(node, uses, outputs);
    // A convolution computes in integers only if its output is one; a dense layer may give floats.
    if (node.op_type === "Conv" || (uses.get(output) ?? []).some((user) => inInt8.has(user))) add(output);
  }
  for (const node of nodes) {
    const [first = ""] = node.input;
    if (movers.has(node.op_type) && found.has(first)) {
      const [output = ""] = node.output;
      if (outputs.includes(output)) continue;
      add(output);
      sameAs.set(output, sameAs.get(first) ?? first);
    }
    if (joins.has(node.op_type) && node.input.every((name) => found.has(name) && !weights.has(name)))
      add(afterActivation(node, uses, outputs));
  }
  const order = [...nodes.flatMap(({ input }) => input), ...nodes.flatMap(({ output }) => output)];
  return { names: [...new Set(order)].filter((name) => found.has(name)), sameAs };
}

/** The output of a node, or of the activation that alone takes it. */
function afterActivation(
  node: GraphNode,
  uses: ReadonlyMap<string, readonly GraphNode[]>,
  outputs: readonly string[],
): string {
  const [output = ""] = node.output;
  const [user, ...others] = uses.get(output) ?? [];
  const isActivation = user?.op_type === "Relu" || user?.op_type === "Clip";
  return isActivation && others.length === 0 && !outputs.includes(output) ? user.output[0]! : output;
}
