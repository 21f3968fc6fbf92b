import type * as tfl from "@tensorflow/tfjs-layers";
import { computedTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import type { Config, ExportContext, KerasPart } from "./keras-part.ts";

/**
 * Keras 2's LocallyConnected2D, which Keras 3 has not: the patches of an image as rows, and a product of each with the
 * kernel of its place.
 */
export function locallyConnected(config: Config, context: ExportContext, layer: tfl.layers.Layer): KerasPart[] {
  const pair = (value: unknown): [number, number] => {
    const [rows, columns] = [value ?? 1].flat() as number[];
    return [rows!, columns ?? rows!];
  };
  const [, rows, columns, filters] = layer.computeOutputShape([...context.inputShape]) as [
    null,
    number,
    number,
    number,
  ];
  if (layer.getConfig()["dataFormat"] === "channelsFirst")
    return context.refuse("the order of its kernel is of channels first");
  if (rows == null || columns == null) return context.refuse("the size of its input is not known");
  const [kernel, bias] = layer.weights as [tfl.LayerVariable, tfl.LayerVariable | undefined];
  const [size, strides] = [pair(config["kernel_size"]), pair(config["strides"])];
  const apart = shaped("kernel", kernel, [rows, columns, kernel.shape[1]!, filters]);
  return [
    {
      className: "ExtractPatches",
      config: {},
      operation: {
        module: "keras.src.ops.image",
        numbers: [],
        config: { size, strides, dilation_rate: 1, padding: "valid", data_format: "channels_last" },
      },
    },
    {
      className: "EinsumDense",
      config: {
        equation: "abcd,bcde->abce",
        output_shape: [rows, columns, filters],
        activation: config["activation"] ?? "linear",
        bias_axes: bias === undefined ? null : "bce",
      },
      weights: bias === undefined ? [apart] : [apart, shaped("bias", bias, [rows, columns, filters])],
    },
  ];
}

/** A weight under another shape of as many numbers. */
function shaped(name: string, variable: tfl.LayerVariable, shape: number[]): NamedTensor {
  const { read } = variableTensor(name, variable);
  return computedTensor({ name, shape, dtype: "float32", place: name, read });
}
