import type * as tfl from "@tensorflow/tfjs-layers";
import { collectedError } from "../../weights-error.ts";
import { modelLayers, nestedModel } from "../../model/model-layers.ts";
import { weightName } from "../../model/weight-name.ts";
import { fromTorchOrder, kernelRows, toTorchOrder } from "./axis-order.ts";
import type { MatrixOrder } from "./axis-order.ts";
import type { NamedTensor, TensorData } from "../../bytes/named-tensor.ts";
import { featureOrders } from "./feature-order.ts";
import type { FeatureOrder } from "./feature-order.ts";
import { torchLayerName } from "./names.ts";

/** One weight of a tfjs model as stored in a PyTorch state. */
export interface TorchWeight {
  readonly torchName: string;
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly torchShape: readonly number[];
  /** Why PyTorch cannot represent this weight; undefined if it can. */
  readonly problem?: string;
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

/** Every weight of the model with its PyTorch name and the conversions in both directions. */
export function torchWeights(model: tfl.LayersModel): TorchWeight[] {
  const orders = featureOrders(model);
  const names = layerPaths(model);
  return modelLayers(model).flatMap(({ layer, weights }) =>
    weights.map((variable) => {
      const own = weightName(variable).replace(/_\d+$/, "");
      const isSeparable = layer.getClassName().startsWith("SeparableConv");
      const part =
        isSeparable && own !== "bias"
          ? `${own === "depthwise_kernel" ? "depthwise" : "pointwise"}.`
          : isSeparable
            ? "pointwise."
            : "";
      const suffix = own.endsWith("kernel") ? "weight" : (plainNames[own] ?? own);
      const name = names.get(layer)!;
      // torchvision's ConvNeXt has the factors as a parameter of the block, for maps with the channels first.
      if (layer.getClassName() === "LayerScale" && name.endsWith(".layer_scale"))
        return {
          torchName: torchLayerName(model.name, name),
          name: `${name}/${own}`,
          variable,
          torchShape: [variable.shape[0]!, 1, 1],
          ...same,
        };
      return {
        torchName: `${torchLayerName(model.name, name)}.${part}${suffix}`,
        name: `${name}/${own}`,
        variable,
        ...layout(layer.getClassName(), own, variable.shape as number[], orders.get(layer)),
      };
    }),
  );
}

/** The layers' names. If layers in nested models share a name, the nested models' names come before it. */
function layerPaths(model: tfl.LayersModel): Map<tfl.layers.Layer, string> {
  const counts = new Map<string, number>();
  for (const { name } of modelLayers(model)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const paths = new Map<tfl.layers.Layer, string>();
  const walk = (inner: tfl.LayersModel, above: string): void => {
    for (const layer of inner.layers) {
      const nested = nestedModel(layer);
      if (nested !== undefined) walk(nested, `${above}${layer.name}.`);
      else paths.set(layer, counts.get(layer.name) === 1 ? layer.name : `${above}${layer.name}`);
    }
  };
  walk(model, "");
  return paths;
}

/** Throws if PyTorch cannot represent some of the model's weights, and names each of them. */
export function refuseProblems(file: string, model: tfl.LayersModel): void {
  const seen = new Set<string>();
  const problems = torchWeights(model).flatMap(({ name, torchName, problem }) => {
    const isTwice = seen.has(torchName);
    seen.add(torchName);
    if (isTwice) return [`${name}: PyTorch's name of it would be "${torchName}", which another weight has`];
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
  if (problems.length > 0)
    throw collectedError(file, "", "PyTorch's names and order cannot be told for this model", problems);
}

/** Layers that count batches in PyTorch but not in tfjs. */
export function batchCounters(model: tfl.LayersModel): string[] {
  const paths = layerPaths(model);
  return modelLayers(model)
    .filter(({ layer }) => layer.getClassName() === "BatchNormalization")
    .map(({ layer }) => `${torchLayerName(model.name, paths.get(layer)!)}.num_batches_tracked`);
}

function layout(
  className: string,
  own: string,
  shape: readonly number[],
  order: FeatureOrder,
): Pick<TorchWeight, "torchShape" | "toTorch" | "fromTorch" | "problem"> {
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
  if (own.endsWith("kernel") && shape.length === 3) {
    const [length, inputs, outputs] = shape as [number, number, number];
    if (own === "depthwise_kernel")
      return turned([inputs * outputs, 1, length], { outputs: inputs * outputs, rows: kernelRows(length, 1, 1) });
    return turned([outputs, inputs, length], { outputs, rows: kernelRows(length, 1, inputs) });
  }
  if (own === "kernel" && shape.length === 2) {
    const [inputs, outputs] = shape as [number, number];
    const rows = order instanceof Int32Array ? order : kernelRows(1, 1, inputs);
    return { ...turned([outputs, inputs], { outputs, rows }), ...(typeof order === "string" && { problem: order }) };
  }
  if (own === "alpha" && shape.slice(0, -1).some((size) => size !== 1))
    return {
      torchShape: shape,
      ...same,
      problem: "PyTorch's PReLU has a slope for every channel, not for every pixel",
    };
  const torchShape = own === "alpha" ? [shape.reduce((product, size) => product * size, 1)] : shape;
  if (order === undefined || torchShape.length !== 1) return { torchShape, ...same };
  // One number per feature, as in a batch normalization after a flatten.
  if (typeof order === "string" || order.length !== torchShape[0])
    return { torchShape, ...same, ...(own === "bias" ? {} : { problem: typeof order === "string" ? order : unfit }) };
  return own === "bias" && className === "Dense"
    ? { torchShape, ...same }
    : turned([order.length], { outputs: 1, rows: order });
}

const unfit = "its features are not the flattened ones";

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
