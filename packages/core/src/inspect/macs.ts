import type * as tfl from "@tensorflow/tfjs-layers";
import { graphNodes } from "../model/model-graph.ts";
import type { GraphNode } from "../model/model-graph.ts";

/** Multiply-adds of one image: convolutions and dense layers, as the literature counts; biases, norms and pools are left out. */
export function macs(model: tfl.LayersModel): number {
  return graphNodes(model).reduce((sum, node) => sum + nodeMacs(node), 0);
}

/** Multiply-adds of one use of a layer; 0 for layers without kernels, and where the map's size is free. */
export function nodeMacs({ layer, inputShapes, outputs }: GraphNode): number {
  const weight = (name: string): number =>
    layer.weights
      .filter((variable) => variable.originalName.endsWith(`/${name}`) || variable.originalName === name)
      .reduce((sum, { shape }) => sum + product(shape as number[]), 0);
  const out = outputs[0]?.shape ?? [];
  const pixels = product(out.slice(1, -1) as number[]);
  switch (layer.getClassName()) {
    case "Dense":
      return pixels * weight("kernel");
    case "Conv2D":
      return pixels * weight("kernel");
    case "Conv2DTranspose":
      return product((inputShapes[0] ?? []).slice(1, -1) as number[]) * weight("kernel");
    case "DepthwiseConv2D":
      return pixels * weight("depthwise_kernel");
    case "SeparableConv2D":
      return pixels * (weight("depthwise_kernel") + weight("pointwise_kernel"));
    default:
      return 0;
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
