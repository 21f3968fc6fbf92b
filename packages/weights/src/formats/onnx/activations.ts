import { keras3HardSigmoid } from "../../layers/activations.ts";
import type { OnnxGraph } from "./graph.ts";

type Write = (graph: OnnxGraph, prefix: string, x: string, rank: number) => string;

const simple =
  (op: string): Write =>
  (graph, prefix, x) =>
    graph.node(prefix, op, [x]);
const hardSigmoid =
  (alpha: number): Write =>
  (graph, prefix, x) =>
    graph.node(prefix, "HardSigmoid", [x], { alpha: { float: alpha }, beta: { float: 0.5 } });
/** Channels are the second axis of a feature map, and the last axis of other tensors. */
const overChannels =
  (op: string): Write =>
  (graph, prefix, x, rank) =>
    graph.node(prefix, op, [x], { axis: rank === 4 ? 1 : -1 });

const writers: Readonly<Record<string, Write>> = {
  linear: (_, __, x) => x,
  relu: simple("Relu"),
  relu6: (graph, prefix, x) => clip(graph, prefix, x, 0, 6),
  elu: simple("Elu"),
  celu: simple("Elu"),
  hardTanh: (graph, prefix, x) => clip(graph, prefix, x, -1, 1),
  hardShrink: (graph, prefix, x) => graph.node(prefix, "Shrink", [x], { lambd: { float: 0.5 } }),
  softShrink: (graph, prefix, x) => graph.node(prefix, "Shrink", [x], { lambd: { float: 0.5 }, bias: { float: 0.5 } }),
  logSigmoid: (graph, prefix, x) =>
    graph.node(prefix, "Neg", [graph.node(prefix, "Softplus", [graph.node(prefix, "Neg", [x])])]),
  tanhShrink: (graph, prefix, x) => graph.node(prefix, "Sub", [x, graph.node(prefix, "Tanh", [x])]),
  selu: simple("Selu"),
  sigmoid: simple("Sigmoid"),
  hardSigmoid: hardSigmoid(0.2),
  [keras3HardSigmoid]: hardSigmoid(1 / 6),
  hardSwish: simple("HardSwish"),
  softmax: overChannels("Softmax"),
  logSoftmax: overChannels("LogSoftmax"),
  softplus: simple("Softplus"),
  softsign: simple("Softsign"),
  tanh: simple("Tanh"),
  exponential: simple("Exp"),
  leakyRelu: (graph, prefix, x) => graph.node(prefix, "LeakyRelu", [x], { alpha: { float: 0.2 } }),
  swish: (graph, prefix, x) => graph.node(prefix, "Mul", [x, graph.node(prefix, "Sigmoid", [x])]),
  mish: (graph, prefix, x) =>
    graph.node(prefix, "Mul", [x, graph.node(prefix, "Tanh", [graph.node(prefix, "Softplus", [x])])]),
  gelu: (graph, prefix, x) => {
    const scaled = graph.node(prefix, "Mul", [x, graph.floats(prefix, [Math.SQRT1_2], [])]);
    const cumulative = graph.node(prefix, "Add", [graph.node(prefix, "Erf", [scaled]), graph.floats(prefix, [1], [])]);
    return graph.node(prefix, "Mul", [graph.node(prefix, "Mul", [x, cumulative]), graph.floats(prefix, [0.5], [])]);
  },
};

/**
 * Writes an activation by tfjs' name; undefined if ONNX has no equivalent. `rank` distinguishes feature maps from
 * vectors.
 */
export function writeActivation(
  graph: OnnxGraph,
  prefix: string,
  name: string,
  x: string,
  rank: number,
): string | undefined {
  return Object.hasOwn(writers, name) ? writers[name]!(graph, prefix, x, rank) : undefined;
}

export function clip(graph: OnnxGraph, prefix: string, x: string, low: number, high: number): string {
  return graph.node(prefix, "Clip", [x, graph.floats(prefix, [low], []), graph.floats(prefix, [high], [])]);
}
