import type * as tfl from "@tensorflow/tfjs-layers";
import { graphNodes } from "./model-graph.ts";
import type { GraphNode } from "./model-graph.ts";

export type Shape = readonly (number | null)[];

/** A use of a layer, with its shapes in the outermost model. */
export interface ShapedNode {
  readonly node: GraphNode;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
}

/**
 * The nodes of a model for given input shapes. A nested model was built for other shapes, or for any size, so its inner
 * shapes are computed for this use.
 */
export function shapedNodes(model: tfl.LayersModel, inputShapes?: readonly Shape[]): ShapedNode[] {
  const shapes = new Map<number, Shape>();
  model.inputs.forEach((input, i) => shapes.set(input.id, inputShapes?.[i] ?? input.shape));
  return graphNodes(model).map((node) => {
    const inputs = node.inputs.map(({ id }, i) => shapes.get(id) ?? (node.inputShapes[i] as Shape));
    const declared = node.outputs.map(({ shape }) => shape);
    const isInput = node.inputs.length === 0;
    const outputs = isInput
      ? node.outputs.map(({ id }, i) => shapes.get(id) ?? (declared[i] as Shape))
      : sameShapes(inputs, node.inputShapes)
        ? declared
        : outputShapes(node.layer, inputs);
    node.outputs.forEach(({ id }, i) => shapes.set(id, outputs[i] ?? (declared[i] as Shape)));
    return { node, inputShapes: inputs, outputShapes: outputs };
  });
}

function outputShapes(layer: tfl.layers.Layer, inputs: readonly Shape[]): readonly Shape[] {
  const given = inputs.length === 1 ? (inputs[0] as tfl.Shape) : (inputs as tfl.Shape[]);
  const result = layer.computeOutputShape(given) as tfl.Shape | tfl.Shape[];
  return Array.isArray(result[0]) ? (result as tfl.Shape[]) : [result as tfl.Shape];
}

function sameShapes(a: readonly Shape[], b: readonly Shape[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
