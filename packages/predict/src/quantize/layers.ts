import { attributeOf, floatsOf, isPlainGemm, type Graph, type GraphNode } from "./onnx-file.ts";

/** A convolution or dense layer that can compute in int8. */
export interface IntLayer {
  readonly node: GraphNode;
  /** The name of its output without the operator, which is the layer's own name in files of convkit. */
  readonly name: string;
  /** The axis of the output's channels in its weights. */
  readonly axis: number;
}

/** The nodes that take each value. */
export function usesOf(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly GraphNode[]> {
  const uses = new Map<string, GraphNode[]>();
  for (const node of nodes)
    for (const name of new Set(node.input)) {
      const known = uses.get(name);
      if (known === undefined) uses.set(name, [node]);
      else known.push(node);
    }
  return uses;
}

/** The convolutions and dense layers with constant float32 weights. */
export function intLayers({ nodes, weights }: Graph): IntLayer[] {
  return nodes.flatMap((node) => {
    const kernel = weights.get(node.input[1] ?? "");
    const bias = node.input[2] ?? "";
    if (floatsOf(kernel) === undefined || (bias !== "" && floatsOf(weights.get(bias)) === undefined)) return [];
    const axis = axisOf(node, kernel!.dims.length);
    return axis === undefined ? [] : [{ node, axis, name: layerName(node) }];
  });
}

function axisOf(node: GraphNode, rank: number): number | undefined {
  if (node.op_type === "Conv") return 0;
  if (node.op_type === "MatMul" && rank === 2) return 1;
  if (node.op_type !== "Gemm" || !isPlainGemm(node)) return undefined;
  return attributeOf(node, "transB") === 1 ? 0 : 1;
}

function layerName({ output: [output = ""], name = output }: GraphNode): string {
  const whole = name === "" ? output : name;
  return whole.replace(/\/(Conv|Gemm|MatMul)(_\d+)?$/, "");
}
