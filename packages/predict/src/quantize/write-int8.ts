import type { IntLayer } from "./layers.ts";
import { floatsOf, initializer, type Graph, type GraphNode, type Initializer } from "./onnx-file.ts";
import { intBias, intWeights, type Scale } from "./scales.ts";

/**
 * The graph with `QuantizeLinear` and `DequantizeLinear` at each value that has a scale, and with the weights of the layers as
 * integers: runtimes compute the operators between such pairs in integers. Layers with a bias that 32 bits cannot hold stay in float.
 */
export function writeInt8(
  { nodes, weights }: Graph,
  layers: readonly IntLayer[],
  scales: ReadonlyMap<string, Scale>,
): Graph {
  const made = new Map(weights);
  const start: GraphNode[] = [];
  const renamed = new Map([...scales.keys()].map((name) => [name, `${name}/dequantized`]));
  const constant = (weight: Initializer): string => {
    made.set(weight.name, weight);
    return weight.name;
  };
  /** The nodes that turn a value into integers and back. */
  const pair = (name: string, { scale, zero }: Scale): GraphNode[] => {
    const by = [
      constant(initializer(`${name}/scale`, [], Float32Array.of(scale))),
      constant(initializer(`${name}/zero`, [], Uint8Array.of(zero))),
    ];
    const whole = `${name}/quantized`;
    return [
      { op_type: "QuantizeLinear", name: whole, input: [name, ...by], output: [whole] },
      { op_type: "DequantizeLinear", name: renamed.get(name), input: [whole, ...by], output: [renamed.get(name)!] },
    ];
  };
  /** A constant of integers with a scale for each channel, and the node that gives its values. */
  const channels = (
    name: string,
    dims: readonly number[],
    axis: number,
    { values, scales: own }: { readonly values: Int8Array | Int32Array; readonly scales: Float32Array },
  ): string => {
    const zeros = values instanceof Int8Array ? new Int8Array(own.length) : new Int32Array(own.length);
    const input = [
      constant(initializer(`${name}/quantized`, dims, values)),
      constant(initializer(`${name}/scale`, [own.length], own)),
      constant(initializer(`${name}/zero`, [own.length], zeros)),
    ];
    const attribute = [{ name: "axis", i: axis, type: 2 }];
    start.push({
      op_type: "DequantizeLinear",
      name: `${name}/dequantized`,
      input,
      output: [`${name}/dequantized`],
      attribute,
    });
    return `${name}/dequantized`;
  };

  const inputsOf = new Map<GraphNode, readonly string[]>();
  for (const { node, axis } of layers) {
    const [x = "", kernelName = "", biasName = ""] = node.input;
    const input = scales.get(x);
    const kernel = weights.get(kernelName)!;
    if (input === undefined) continue;
    const whole = intWeights(floatsOf(kernel)!, kernel.dims, axis);
    const bias = weights.get(biasName);
    const wholeBias = bias && intBias(floatsOf(bias)!, input.scale, whole);
    if (bias !== undefined && wholeBias === undefined) continue;
    const at = node.output[0]!;
    const parts = [channels(`${at}/kernel`, kernel.dims, axis, whole)];
    if (wholeBias !== undefined) parts.push(channels(`${at}/bias`, bias!.dims, 0, wholeBias));
    inputsOf.set(node, [x, ...parts]);
  }
  const written: GraphNode[] = [...start];
  const given = new Set(nodes.flatMap(({ output }) => output));
  // The network's inputs are integers before the first node.
  for (const [name, scale] of scales) if (!given.has(name)) written.push(...pair(name, scale));
  for (const node of nodes) {
    const input = (inputsOf.get(node) ?? node.input).map((name) => renamed.get(name) ?? name);
    written.push({ ...node, input });
    for (const name of node.output) {
      const scale = scales.get(name);
      if (scale !== undefined) written.push(...pair(name, scale));
    }
  }
  const needed = new Set(written.flatMap(({ input }) => input));
  return { nodes: written, weights: new Map([...made].filter(([name]) => needed.has(name))) };
}
