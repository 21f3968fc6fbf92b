import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { nestedModel } from "./model-graph.ts";

/** One call of a nested model: the model, the index of the call, and the input tensors. */
export interface ModelCall {
  readonly model: LayersModel;
  readonly node: number;
  readonly inputs: SymbolicTensor[];
}

/** A symbolic tensor, and the calls of nested models that contain it, outermost first. */
export interface Position {
  readonly tensor: SymbolicTensor;
  readonly inside: readonly ModelCall[];
}

/** The position where a tensor is computed: for an output of a nested model, the tensor inside that model. */
export function positionOf(tensor: SymbolicTensor, inside: readonly ModelCall[] = []): Position {
  const layer = tensor.sourceLayer;
  const model = nestedModel(layer);
  if (model === undefined) return { tensor, inside };
  const call = { model, node: tensor.nodeIndex, inputs: layer.inboundNodes[tensor.nodeIndex]!.inputTensors };
  return positionOf(model.outputs[tensor.tensorIndex]!, [...inside, call]);
}

/** The positions that a position is computed from; empty for an input of the whole model. */
export function previousOf({ tensor, inside }: Position): Position[] {
  const { sourceLayer, nodeIndex, id } = tensor;
  const call = inside.at(-1);
  const outer = call?.inputs[call.model.inputs.findIndex((input) => input.id === id)];
  if (outer !== undefined) return [positionOf(outer, inside.slice(0, -1))];
  return (sourceLayer.inboundNodes[nodeIndex]?.inputTensors ?? [])
    .filter((input) => input.id !== id)
    .map((input) => positionOf(input, inside));
}
