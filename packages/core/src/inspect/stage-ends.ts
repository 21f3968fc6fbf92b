import type * as tfl from "@tensorflow/tfjs-layers";
import { modelMetadata } from "../metadata/metadata.ts";
import { layerWindow } from "./layer-window.ts";
import { graphNodes } from "./model-graph.ts";
import type { GraphNode } from "./model-graph.ts";
import { receptiveFields } from "./receptive-field.ts";
import { cutPath } from "./segments.ts";

/** A map between two blocks of a network. */
export interface StageEnd {
  readonly layer: string;
  readonly output: tfl.SymbolicTensor;
  /** The stride in pixels of the image, for example `4`, or `4x2` if the axes differ. */
  readonly stride: string;
}

/**
 * The last map of each stride between two blocks, in the order of computation. The model's metadata names these stages.
 * Without it, a map counts if everything after it depends on it alone, up to the first pool over the whole map.
 */
export function stageEnds(model: tfl.LayersModel): StageEnd[] {
  const fields = receptiveFields(model);
  const nodes = graphNodes(model);
  const named = new Set(modelMetadata(model).stages);
  const stated = nodes.filter(({ layer }) => named.has(layer.name));
  const ends = (stated.length > 0 ? stated : cutNodes(model, nodes)).map(({ layer, outputs }): StageEnd => {
    const [down, across] = fields.get(layer.name)?.stride ?? [1, 1];
    const stride = down === across ? `${down}` : `${down}x${across}`;
    return { layer: layer.name, output: outputs[0] as tfl.SymbolicTensor, stride };
  });
  return ends.filter(({ stride }, i) => ends.findLastIndex((end) => end.stride === stride) === i);
}

/** The nodes with a feature map that every path to the model's first output passes through. */
function cutNodes(model: tfl.LayersModel, nodes: readonly GraphNode[]): GraphNode[] {
  const path = cutPath(model, nodes);
  const stop = path.findIndex(
    ({ node: { layer, inputShapes } }) => layerWindow(layer) === "all" && inputShapes[0]?.length === 4,
  );
  return path
    .slice(0, stop < 0 ? path.length : stop)
    .filter(({ node, isCut }) => isCut && isFeatureMap(node))
    .map(({ node }) => node);
}

/** False for layers that only prepare pixels or the next window. */
function isFeatureMap({ layer, outputs }: GraphNode): boolean {
  const prepares = ["InputLayer", "ZeroPadding2D", "Cropping2D", "Rescaling", "Normalization"];
  return outputs.length === 1 && outputs[0]?.shape.length === 4 && !prepares.includes(layer.getClassName());
}
