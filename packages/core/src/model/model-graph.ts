import type * as tfl from "@tensorflow/tfjs-layers";

/** One use of a layer in a model. */
export interface GraphNode {
  readonly layer: tfl.layers.Layer;
  readonly inputs: readonly {
    readonly layer: string;
    readonly node: number;
    readonly tensor: number;
    readonly id: number;
  }[];
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputs: readonly tfl.SymbolicTensor[];
}

interface StockNode {
  inboundLayers: tfl.layers.Layer[];
  nodeIndices: number[];
  tensorIndices: number[];
  inputTensors: tfl.SymbolicTensor[];
  outputTensors: tfl.SymbolicTensor[];
}

/** The uses of a model's layers, inputs before what they feed. */
export function graphNodes(model: tfl.LayersModel): GraphNode[] {
  const own = (model as unknown as { containerNodes: Set<string> }).containerNodes;
  return model.layers.flatMap((layer) =>
    (layer.inboundNodes as unknown as StockNode[])
      .filter((_, index) => own.has(`${layer.name}_ib-${index}`))
      .map((node) => ({
        layer,
        inputs: node.inboundLayers.map((from, i) => ({
          layer: from.name,
          node: node.nodeIndices[i] as number,
          tensor: node.tensorIndices[i] as number,
          id: (node.inputTensors[i] as tfl.SymbolicTensor).id,
        })),
        inputShapes: node.inputTensors.map(({ shape }) => shape),
        outputs: node.outputTensors,
      })),
  );
}

/** What a layer of the model gives out. Throws, listing names that are close, where there is no such layer. */
export function layerOutput(model: tfl.LayersModel, name: string): tfl.SymbolicTensor {
  const node = graphNodes(model).find(({ layer }) => layer.name === name);
  const output = node?.outputs[0];
  if (output === undefined) {
    const close = model.layers
      .map((layer) => layer.name)
      .filter((other) => other.startsWith(name) || name.startsWith(other));
    const known = close.length > 0 ? close : model.layers.map((layer) => layer.name);
    const shown = known.length > 12 ? [...known.slice(0, 6), "…", ...known.slice(-5)] : known;
    throw new Error(`${model.name}: expected the name of a layer, got "${name}"; there are ${shown.join(", ")}`);
  }
  return output;
}
