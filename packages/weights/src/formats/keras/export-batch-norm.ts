import type * as tfl from "@tensorflow/tfjs-layers";
import type { AxesBatchNormalization } from "../../layers/axes-batch-norm.ts";
import { computedTensor } from "../../bytes/named-tensor.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import type { Config, ExportContext, KerasPart } from "./keras-part.ts";

/**
 * Batch normalization over several axes, which Keras 3 has not: these axes become the last one, which is normalized, and
 * go back to their places.
 */
export function axesBatchNorm(
  config: Config,
  { inputShape, refuse }: ExportContext,
  layer: tfl.layers.Layer,
): KerasPart[] {
  const kept = (layer as AxesBatchNormalization).axesOf(inputShape.length);
  const others = [...inputShape.keys()].filter((axis) => axis > 0 && !kept.includes(axis));
  const sizes = (axes: readonly number[]): (number | null)[] => axes.map((axis) => inputShape[axis] ?? null);
  if (sizes(others).filter((size) => size === null).length > 1) return refuse("the size of its input is not known");
  const order = [...others, ...kept];
  const count = sizes(kept).reduce<number>((product, size) => product * size!, 1);
  const shape = (target: (number | null)[]): KerasPart => ({
    className: "Reshape",
    config: { target_shape: target.map((size) => size ?? -1) },
    weights: [],
  });
  const moved = (dims: number[]): KerasPart => ({ className: "Permute", config: { dims }, weights: [] });
  const keys = ["momentum", "epsilon", "center", "scale"];
  return [
    moved(order),
    shape([...sizes(others), count]),
    {
      className: "BatchNormalization",
      config: {
        ...Object.fromEntries(keys.map((key) => [key, config[key]])),
        axis: others.length + 1,
        trainable: layer.trainable,
      },
      weights: layer.weights.map((variable) => {
        const name = variable.originalName.split("/").at(-1)!;
        const { read } = variableTensor(name, variable);
        return computedTensor({ name, shape: [count], dtype: "float32", place: name, read });
      }),
    },
    shape(sizes(order)),
    moved(order.map((_, index) => order.indexOf(index + 1) + 1)),
  ];
}
