import { OptionError, shown } from "@convkit/errors";
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

/** The layer as a model, if it is a nested model. */
export function nestedModel(layer: tfl.layers.Layer): tfl.LayersModel | undefined {
  return Array.isArray((layer as Partial<tfl.LayersModel>).layers) ? (layer as tfl.LayersModel) : undefined;
}

/**
 * The uses of a model's layers in the order of computation. Throws an `OptionError` for a Sequential model without layers.
 */
export function graphNodes(model: tfl.LayersModel): GraphNode[] {
  if (model.inputs.length === 0) {
    throw new OptionError(
      `${model.name}: expected a model with an input, got a Sequential model without layers; add them first.`,
    );
  }
  // A Sequential model knows its layers' connections only after its build, which tfjs delays until the first
  // prediction.
  if (!model.built) model.build(model.inputs[0]?.shape ?? []);
  const own = (model as unknown as { containerNodes: Set<string> }).containerNodes;
  // A Sequential model that begins with another model takes that one's own tensors, and has no node for it.
  const begun = model.layers.map(nestedModel).filter((nested) => nested !== undefined && !isUsed(nested, own));
  const outputsBegun = begun.flatMap((nested) =>
    nested!.outputs.map(({ id }, tensor) => [id, { layer: nested!.name, node: 0, tensor, id }] as const),
  );
  const places = new Map(outputsBegun);
  return model.layers.flatMap((layer): GraphNode[] => {
    const nested = nestedModel(layer);
    if (nested !== undefined && begun.includes(nested)) return [ownTensors(nested)];
    return (layer.inboundNodes as unknown as StockNode[])
      .filter((_, index) => own.has(`${layer.name}_ib-${index}`))
      .map((node) => ({
        layer,
        inputs: node.inboundLayers.map((from, i) => {
          const { id } = node.inputTensors[i] as tfl.SymbolicTensor;
          const place = { layer: from.name, node: node.nodeIndices[i]!, tensor: node.tensorIndices[i]!, id };
          return places.get(id) ?? place;
        }),
        inputShapes: node.inputTensors.map(({ shape }) => shape),
        outputs: node.outputTensors,
      }));
  });
}

function isUsed(layer: tfl.layers.Layer, own: ReadonlySet<string>): boolean {
  return layer.inboundNodes.some((_, index) => own.has(`${layer.name}_ib-${index}`));
}

/** The use of a model on the inputs that it was made with. */
function ownTensors(model: tfl.LayersModel): GraphNode {
  const inputs = model.inputs.map(({ sourceLayer, nodeIndex, tensorIndex, id }) => ({
    layer: sourceLayer.name,
    node: nodeIndex,
    tensor: tensorIndex,
    id,
  }));
  return { layer: model, inputs, inputShapes: model.inputs.map(({ shape }) => shape), outputs: model.outputs };
}

/** The output of a layer of the model. Throws an `OptionError` with similar names if there is no such layer. */
export function layerOutput(model: tfl.LayersModel, name: string): tfl.SymbolicTensor {
  const node = graphNodes(model).find(({ layer }) => layer.name === name);
  const output = node?.outputs[0];
  if (output === undefined) {
    const close = model.layers
      .map((layer) => layer.name)
      .filter((other) => other.startsWith(name) || name.startsWith(other));
    const known = close.length > 0 ? close : model.layers.map((layer) => layer.name);
    const some = known.length > 12 ? [...known.slice(0, 6), "…", ...known.slice(-5)] : known;
    throw new OptionError(
      `${model.name}: expected the name of a layer, got ${shown(name)}; there are ${some.join(", ")}.`,
    );
  }
  return output;
}
