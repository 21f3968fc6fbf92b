import { nestedModel, nodeMacs, shapedNodes } from "@convkit/core/internal";
import type { ModelCall, Position, Shape } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";

/** One use of a layer, with its shapes. */
export interface LayerUse {
  readonly path: string;
  readonly layer: tfl.layers.Layer;
  readonly inputs: readonly Position[];
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  readonly macs: number | null;
}

/** Every use of a layer, in the order of computation, nested models' layers included. */
export function layerUses(
  model: tfl.LayersModel,
  inputShapes?: readonly Shape[],
  inside: readonly ModelCall[] = [],
  prefix = "",
): LayerUse[] {
  return shapedNodes(model, inputShapes).flatMap((shaped) => {
    const { node, inputShapes: given, outputShapes } = shaped;
    const path = `${prefix}${node.layer.name}`;
    const [tensor] = node.outputs;
    const inputs = tensor === undefined ? [] : (node.layer.inboundNodes[tensor.nodeIndex]?.inputTensors ?? []);
    const nested = nestedModel(node.layer);
    if (nested !== undefined && tensor !== undefined) {
      return layerUses(nested, given, [...inside, { model: nested, node: tensor.nodeIndex, inputs }], `${path}/`);
    }
    const { macs, without } = nodeMacs(shaped);
    return [
      {
        path,
        layer: node.layer,
        inputs: node.inputs.length === 0 ? [] : inputs.map((input) => ({ tensor: input, inside })),
        inputShapes: given,
        outputShapes,
        macs: without.length > 0 ? null : macs,
      },
    ];
  });
}
