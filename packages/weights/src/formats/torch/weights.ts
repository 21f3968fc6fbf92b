import type { GraphNode } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { usesOf } from "../../model/layer-uses.ts";
import { modelLayers } from "../../model/model-layers.ts";
import { weightName } from "../../model/weight-name.ts";
import { fromTorchOrder, kernelRows, toTorchOrder } from "./axis-order.ts";
import type { MatrixOrder } from "./axis-order.ts";
import type { NamedTensor, TensorData } from "../../bytes/named-tensor.ts";
import { torchLayerName } from "./names.ts";

/** One weight of a tfjs model as a PyTorch state has it. */
export interface TorchWeight {
  readonly torchName: string;
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly torchShape: readonly number[];
  toTorch(data: TensorData): TensorData;
  fromTorch(tensor: NamedTensor): TensorData | Promise<TensorData>;
}

const same = { toTorch: (data: TensorData) => data, fromTorch: (tensor: NamedTensor) => tensor.read() };

const plainNames: Readonly<Record<string, string>> = {
  kernel: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
  alpha: "weight",
  depthwise_kernel: "weight",
  mean: "mean",
  variance: "variance",
  count: "count",
};

/** Every weight of the model under PyTorch's name for it, with how to turn it there and back. */
export function torchWeights(model: tfl.LayersModel): TorchWeight[] {
  const flattened = flattenedSizes(model);
  return modelLayers(model).flatMap(({ name, layer, weights }) =>
    weights.map((variable) => {
      const own = weightName(variable).replace(/_\d+$/, "");
      const isSeparable = layer.getClassName() === "SeparableConv2D";
      const part =
        isSeparable && own !== "bias"
          ? `${own === "depthwise_kernel" ? "depthwise" : "pointwise"}.`
          : isSeparable
            ? "pointwise."
            : "";
      const suffix = own.endsWith("kernel") ? "weight" : (plainNames[own] ?? own);
      const shape = variable.shape as number[];
      return {
        torchName: `${torchLayerName(model.name, name)}.${part}${suffix}`,
        name: `${name}/${own}`,
        variable,
        ...layout(layer.getClassName(), own, shape, flattened.get(name)),
      };
    }),
  );
}

/** Layers with a counter of batches in PyTorch, which tfjs has not. */
export function batchCounters(model: tfl.LayersModel): string[] {
  return modelLayers(model)
    .filter(({ layer }) => layer.getClassName() === "BatchNormalization")
    .map(({ name }) => `${torchLayerName(model.name, name)}.num_batches_tracked`);
}

function layout(
  className: string,
  own: string,
  shape: readonly number[],
  flattened: readonly [number, number, number] | undefined,
): Pick<TorchWeight, "torchShape" | "toTorch" | "fromTorch"> {
  if (own.endsWith("kernel") && shape.length === 4) {
    const [height, width, inputs, outputs] = shape as [number, number, number, number];
    // A depthwise kernel is [height, width, channels, multiplier], and PyTorch's outputs are channels times multiplier.
    if (own === "depthwise_kernel" || className === "DepthwiseConv2D") {
      return turned([inputs * outputs, 1, height, width], {
        outputs: inputs * outputs,
        rows: kernelRows(height, width, 1),
      });
    }
    return turned([outputs, inputs, height, width], { outputs, rows: kernelRows(height, width, inputs) });
  }
  if (own === "kernel" && shape.length === 2) {
    const [inputs, outputs] = shape as [number, number];
    const [height, width, channels] = flattened ?? [1, 1, inputs];
    return turned([outputs, inputs], { outputs, rows: kernelRows(height, width, channels) });
  }
  if (own === "alpha") return { torchShape: [shape.reduce((product, size) => product * size, 1)], ...same };
  return { torchShape: shape, ...same };
}

function turned(
  torchShape: readonly number[],
  order: MatrixOrder,
): Pick<TorchWeight, "torchShape" | "toTorch" | "fromTorch"> {
  return {
    torchShape,
    toTorch: (data) => toTorchOrder(data, order),
    fromTorch: (tensor) => fromTorchOrder(tensor, order),
  };
}

/** What between a flatten and a dense layer leaves every element in its place. */
const elementwise = new Set([
  "Activation",
  "AlphaDropout",
  "Dropout",
  "ELU",
  "GaussianDropout",
  "GaussianNoise",
  "Identity",
  "LeakyReLU",
  "ReLU",
]);

/** The map `[h, w, c]` behind each dense layer that follows a flatten: PyTorch flattens it channels first. */
function flattenedSizes(model: tfl.LayersModel): Map<string, readonly [number, number, number]> {
  const nodes = usesOf(model);
  const makers = new Map<number, GraphNode>(nodes.flatMap((node) => node.outputs.map(({ id }) => [id, node] as const)));
  const sizes = new Map<string, readonly [number, number, number]>();
  for (const node of nodes) {
    if (node.layer.getClassName() !== "Dense" || node.inputShapes[0]?.length !== 2) continue;
    let from = makers.get(node.inputs[0]!.id);
    while (from !== undefined && elementwise.has(from.layer.getClassName())) from = makers.get(from.inputs[0]!.id);
    const shape = from?.layer.getClassName() === "Flatten" ? from.inputShapes[0] : undefined;
    if (shape?.length === 4 && shape.slice(1).every((size) => size !== null))
      sizes.set(node.layer.name, shape.slice(1) as [number, number, number]);
  }
  return sizes;
}
