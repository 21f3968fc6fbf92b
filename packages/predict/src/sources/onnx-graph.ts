import type { OnnxOutline, OutlineNode } from "@convkit/weights/onnx-outline";

type Graph = Pick<OnnxOutline, "nodes" | "outputs">;

const layersWithWeights = new Set(["Gemm", "MatMul", "Conv", "ConvTranspose"]);
/** Operators between a network's last layer with weights and its output that neither compare nor mix values. */
const keepsValues = new Set([
  "Add",
  "DequantizeLinear",
  "Flatten",
  "Identity",
  "QuantizeLinear",
  "Reshape",
  "Squeeze",
  "Transpose",
]);

/** The operators from a graph's first output back to its last layer with weights, that layer last. */
function* backwards({ nodes, outputs }: Graph): Generator<OutlineNode> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  let node = makers.get(outputs[0] ?? "");
  for (let count = 0; node !== undefined && count < nodes.length; count++) {
    yield node;
    if (layersWithWeights.has(node.op)) return;
    node = makers.get(node.inputs[0] ?? "");
  }
}

/** Whether the first output holds logits, as `endsInLogits` says it of a layers model; undefined where the scores must tell. */
export function outputHoldsLogits(graph: Graph): boolean | undefined {
  for (const { op } of backwards(graph)) {
    if (op === "Softmax" || op === "Sigmoid") return false;
    if (layersWithWeights.has(op)) return true;
    if (!keepsValues.has(op)) return undefined;
  }
  return undefined;
}

/** The value that the last layer with weights takes: the network's features. Without such a layer, the first output. */
export function featuresOf(graph: Graph): string {
  const last = [...backwards(graph)].at(-1);
  return last !== undefined && layersWithWeights.has(last.op) ? last.inputs[0]! : graph.outputs[0]!;
}

/** The value that a layer gives: the last one whose name begins with the layer's, as our files name them, or that has the name itself. */
export function layerValue({ nodes }: Graph, layer: string): string | undefined {
  const values = nodes.flatMap(({ outputs }) => outputs);
  return values.findLast((value) => value === layer || value.startsWith(`${layer}/`));
}

/**
 * The file with one more output. Protocol buffers join two messages of one field: the bytes of a graph that has only an output are
 * added at the end.
 */
export function withOutput(bytes: Uint8Array, value: string): Uint8Array {
  const field = (number: number, content: Uint8Array) =>
    Buffer.concat([Buffer.of((number << 3) | 2), varint(content.byteLength), content]);
  // TypeProto { tensor_type: Tensor { elem_type: float32 } }
  const type = field(1, Buffer.of(8, 1));
  const output = Buffer.concat([field(1, Buffer.from(value)), field(2, type)]);
  return Buffer.concat([bytes, field(7, field(12, output))]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}
