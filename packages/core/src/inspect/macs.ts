import { OptionError, shown } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkModel } from "../model/check-model.ts";
import type { MeasuredLayer } from "./layer-window.ts";
import { nestedModel } from "./model-graph.ts";
import { shapedNodes } from "./nested-nodes.ts";
import type { ShapedNode } from "./nested-nodes.ts";

/** Multiply-adds of one image; null where they depend on a size that is not known. */
export interface MultiplyAdds {
  readonly macs: number | null;
  /** Names of the layers with kernels that could not be counted. */
  readonly without: readonly string[];
}

/**
 * Multiply-adds of one image, as the literature counts: convolutions and dense layers, without biases, norms and pools. Layers
 * of your own count if they have a method `macs`.
 *
 * Throws an `OptionError` where a layer cannot be counted or the input's size is not known.
 */
export function macs(model: tfl.LayersModel): number {
  checkModel("macs", model);
  const { macs: sum, without } = modelMacs(model);
  if (without.length > 0) {
    throw new OptionError(
      `${model.name}: expected layers that can be counted, got ${without.join(", ")}; give them a method macs.`,
    );
  }
  if (sum === null) {
    const shapes = model.inputs.map(({ shape }) => shown(shape)).join(", ");
    throw new OptionError(`${model.name}: expected an input of known size to count multiply-adds, got ${shapes}.`);
  }
  return sum;
}

/** The multiply-adds of a model whose inputs have these shapes (its own without them). */
function modelMacs(model: tfl.LayersModel, inputShapes?: readonly (readonly (number | null)[])[]): MultiplyAdds {
  return addUp(shapedNodes(model, inputShapes).map(nodeMacs));
}

/** Multiply-adds of several parts. */
export function addUp(parts: readonly MultiplyAdds[]): MultiplyAdds {
  return {
    macs: parts.reduce<number | null>((sum, { macs }) => (sum === null || macs === null ? null : sum + macs), 0),
    without: [...new Set(parts.flatMap(({ without }) => without))],
  };
}

/** Multiply-adds of one use of a layer, or of all layers of a nested model. */
export function nodeMacs({ node: { layer }, inputShapes, outputShapes }: ShapedNode): MultiplyAdds {
  const nested = nestedModel(layer);
  if (nested !== undefined) {
    const inside = modelMacs(nested, inputShapes);
    return { macs: inside.macs, without: inside.without.map((name) => `${layer.name}/${name}`) };
  }
  const [input = [], output = []] = [inputShapes[0], outputShapes[0]];
  const own = (layer as MeasuredLayer).macs;
  if (typeof own === "function") return { macs: own.call(layer, input, output), without: [] };
  const weights = kernels[layer.getClassName()];
  if (weights === undefined) {
    const hasKernel = layer.weights.some(({ shape }) => shape.length > 1) && !elementwise.has(layer.getClassName());
    return { macs: 0, without: hasKernel ? [layer.name] : [] };
  }
  const positions = product((layer.getClassName().endsWith("Transpose") ? input : output).slice(1, -1));
  const perPosition = weights.reduce((sum, name) => sum + sizeOfWeight(layer, name), 0);
  return { macs: positions === null ? null : positions * perPosition, without: [] };
}

/** The kernels of each layer that count once a position of its output (a transposed convolution: of its input). */
const kernels: Readonly<Record<string, readonly string[]>> = {
  Dense: ["kernel"],
  Conv1D: ["kernel"],
  Conv2D: ["kernel"],
  Conv3D: ["kernel"],
  Conv1DTranspose: ["kernel"],
  Conv2DTranspose: ["kernel"],
  Conv3DTranspose: ["kernel"],
  DepthwiseConv1D: ["depthwise_kernel"],
  DepthwiseConv2D: ["depthwise_kernel"],
  SeparableConv1D: ["depthwise_kernel", "pointwise_kernel"],
  SeparableConv2D: ["depthwise_kernel", "pointwise_kernel"],
};

/** Layers whose weights of several axes are no kernels. */
const elementwise = new Set(
  "AxesBatchNormalization BatchNormalization Embedding LayerNormalization Normalization PReLU".split(" "),
);

function sizeOfWeight(layer: tfl.layers.Layer, name: string): number {
  return layer.weights
    .filter(({ originalName }) => originalName === name || originalName.endsWith(`/${name}`))
    .reduce((sum, { shape }) => sum + (product(shape) as number), 0);
}

function product(sizes: readonly (number | null)[]): number | null {
  return sizes.reduce<number | null>((result, size) => (result === null || size === null ? null : result * size), 1);
}
