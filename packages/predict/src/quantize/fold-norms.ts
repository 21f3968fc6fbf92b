import {
  attributeOf,
  floatsOf,
  initializer,
  isPlainGemm,
  type Graph,
  type GraphNode,
  type Initializer,
  type OnnxFile,
} from "./onnx-file.ts";
import { usesOf } from "./layers.ts";

/**
 * The graph with each batch norm in the weights of the convolution or dense layer before it, where nothing else takes that layer's
 * output: the scales of the weights then are those that are computed with.
 */
export function foldNorms({ nodes, weights, outputs }: OnnxFile): Graph {
  const uses = usesOf(nodes);
  const changed = new Map(weights);
  const replaced = new Map<GraphNode, GraphNode | undefined>();
  for (const layer of nodes) {
    const [output = ""] = layer.output;
    const [norm, ...others] = uses.get(output) ?? [];
    const isAlone = norm?.op_type === "BatchNormalization" && others.length === 0 && !outputs.includes(output);
    if (!isAlone || norm.input[0] !== output || norm.output.length !== 1) continue;
    const folded = fold(layer, norm, weights);
    if (folded === undefined) continue;
    for (const weight of folded.weights) changed.set(weight.name, weight);
    replaced.set(layer, { ...layer, input: folded.input, output: norm.output });
    replaced.set(norm, undefined);
  }
  const kept = nodes.flatMap((node) => (replaced.has(node) ? [replaced.get(node) ?? []].flat() : [node]));
  const needed = new Set(kept.flatMap(({ input }) => input));
  return { nodes: kept, weights: new Map([...changed].filter(([name]) => needed.has(name))) };
}

function fold(
  layer: GraphNode,
  norm: GraphNode,
  weights: ReadonlyMap<string, Initializer>,
): { readonly input: readonly string[]; readonly weights: readonly Initializer[] } | undefined {
  const [x, kernelName = "", biasName = ""] = layer.input;
  const kernel = weights.get(kernelName);
  const values = floatsOf(kernel);
  const isConv = layer.op_type === "Conv";
  const isGemm = layer.op_type === "Gemm" && attributeOf(layer, "transB") !== 1 && isPlainGemm(layer);
  if (kernel === undefined || values === undefined || !(isConv || isGemm)) return undefined;
  const [gamma, beta, mean, variance] = norm.input.slice(1).map((name) => floatsOf(weights.get(name)));
  const bias = biasName === "" ? undefined : floatsOf(weights.get(biasName));
  if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  if (biasName !== "" && bias === undefined) return undefined;
  const epsilon = attributeOf(norm, "epsilon") ?? 1e-5;
  const factors = Float64Array.from(gamma, (each, c) => each / Math.sqrt(variance[c]! + epsilon));
  const channels = factors.length;
  const inner = isConv ? values.length / channels : 1;
  const scaled = values.map((value, i) => value * factors[isConv ? Math.floor(i / inner) : i % channels]!);
  const shifted = Float32Array.from(factors, (factor, c) => ((bias?.[c] ?? 0) - mean[c]!) * factor + beta[c]!);
  const [kernelOut, biasOut] = [`${norm.output[0]}/kernel`, `${norm.output[0]}/bias`];
  return {
    input: [x!, kernelOut, biasOut],
    weights: [initializer(kernelOut, kernel.dims, scaled), initializer(biasOut, [channels], shifted)],
  };
}
